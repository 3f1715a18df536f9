;; exponential.wat: joined into other modules: exp, exp - 1 and log of four values.
;;
;; Method     no function calls another one: a call takes as long as four polynomial terms
;; Accuracy   exp and log to 1.5 units of the last place, subnormal numbers included. NaN stays NaN, e^Inf = Inf,
;;            e^-Inf = 0, log 0 = -Inf, log of less = NaN, as IEEE 754 has it.
;; Source     reduction by Cody & Waite 1980; the polynomials are interpolations at Chebyshev's nodes

  ;; x = n · ln 2 + r with |r| <= ln 2 / 2; $p = e^r - 1 = r + r² · (1/2 + r/6 + ..). n · ln 2 is subtracted in two parts,
  ;; the first of which is exact. 2^n goes in two factors, because alone it may be subnormal or infinite.
  ;; rows
  ;;   exp          (f32x4.mul (f32x4.mul (f32x4.add (local.get $p) (f32x4.splat (f32.const 1))) (local.get $half)) (local.get $rest))
  ;;   expMinusOne  (f32x4.add (f32x4.mul (local.get $p) (local.tee $x (f32x4.mul (local.get $half) (local.get $rest)))) (f32x4.sub (local.get $x) (f32x4.splat (f32.const 1))))
  ;; for each row
  (func $NAME (param $x v128) (result v128)
    (local $n v128) (local $r v128) (local $p v128) (local $half v128) (local $rest v128)
    ;; Beyond these bounds the result is 0 or Inf. A NaN passes: pmax and pmin give their first operand then.
    (local.set $x
      (f32x4.pmin (f32x4.pmax (local.get $x) (f32x4.splat (f32.const -104))) (f32x4.splat (f32.const 89))))
    (local.set $n (f32x4.nearest (f32x4.mul (local.get $x) (f32x4.splat (f32.const 1.4426950408889634)))))
    (local.set $r
      (f32x4.sub
        (f32x4.sub (local.get $x) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 0.693359375))))
        (f32x4.mul (local.get $n) (f32x4.splat (f32.const -2.12194440e-4)))))
    (local.set $p
      (f32x4.add (local.get $r)
        (f32x4.mul (f32x4.mul (local.get $r) (local.get $r))
          (f32x4.add (f32x4.splat (f32.const 0.5))
            (f32x4.mul (local.get $r)
              (f32x4.add (f32x4.splat (f32.const 0.16666577756404877))
                (f32x4.mul (local.get $r)
                  (f32x4.add (f32x4.splat (f32.const 0.041666556149721146))
                    (f32x4.mul (local.get $r)
                      (f32x4.add (f32x4.splat (f32.const 0.008363173343241215))
                        (f32x4.mul (local.get $r) (f32x4.splat (f32.const 0.0013926175888627766)))))))))))))
    (local.set $n (i32x4.trunc_sat_f32x4_s (local.get $n)))
    (local.set $half (i32x4.shr_s (local.get $n) (i32.const 1)))
    (local.set $rest (i32x4.sub (local.get $n) (local.get $half)))
    (local.set $half (i32x4.shl (i32x4.add (local.get $half) (i32x4.splat (i32.const 127))) (i32.const 23)))
    (local.set $rest (i32x4.shl (i32x4.add (local.get $rest) (i32x4.splat (i32.const 127))) (i32.const 23)))
    VALUE)
  ;; end

  ;; x = 2^e · m, m in [√½, √2); log x = e · ln 2 + log m; with f = m - 1: log m = f - f²/2 + f³ · (1/3 - f/4 ..)
  (func $log (param $x v128) (result v128)
    (local $bits v128) (local $e v128) (local $f v128) (local $square v128) (local $small v128)
    ;; Subnormal numbers are scaled by 2^23.
    (local.set $small (f32x4.lt (local.get $x) (f32x4.splat (f32.const 0x1p-126))))
    (local.set $bits
      (v128.bitselect
        (f32x4.mul (local.get $x) (f32x4.splat (f32.const 0x1p23))) (local.get $x) (local.get $small)))
    ;; Subtracting the bits of √½ lets the exponent field count from there.
    (local.set $bits (i32x4.sub (local.get $bits) (i32x4.splat (i32.const 0x3f3504f3))))
    (local.set $e
      (f32x4.convert_i32x4_s
        (i32x4.sub
          (i32x4.shr_s (local.get $bits) (i32.const 23))
          (v128.and (local.get $small) (i32x4.splat (i32.const 23))))))
    (local.set $f
      (f32x4.sub
        (i32x4.add
          (v128.and (local.get $bits) (i32x4.splat (i32.const 0x7fffff)))
          (i32x4.splat (i32.const 0x3f3504f3)))
        (f32x4.splat (f32.const 1))))
    (local.set $square (f32x4.mul (local.get $f) (local.get $f)))
    (local.set $bits
      (f32x4.add (f32x4.splat (f32.const 0.3333333134651184))
        (f32x4.mul (local.get $f)
          (f32x4.add (f32x4.splat (f32.const -0.25000306963920593))
            (f32x4.mul (local.get $f)
              (f32x4.add (f32x4.splat (f32.const 0.20001044869422913))
                (f32x4.mul (local.get $f)
                  (f32x4.add (f32x4.splat (f32.const -0.166412815451622))
                    (f32x4.mul (local.get $f)
                      (f32x4.add (f32x4.splat (f32.const 0.14214496314525604))
                        (f32x4.mul (local.get $f)
                          (f32x4.add (f32x4.splat (f32.const -0.12998183071613312))
                            (f32x4.mul (local.get $f)
                              (f32x4.add (f32x4.splat (f32.const 0.12622319161891937))
                                (f32x4.mul (local.get $f) (f32x4.splat (f32.const -0.0790274366736412)))))))))))))))))
    ;; The small parts first: f³ · (..) + e · (ln 2's low part) - f²/2, then f, then e · (ln 2's high part).
    (local.set $f
      (f32x4.add
        (f32x4.add (local.get $f)
          (f32x4.sub
            (f32x4.add
              (f32x4.mul (f32x4.mul (local.get $square) (local.get $f)) (local.get $bits))
              (f32x4.mul (local.get $e) (f32x4.splat (f32.const -2.12194440e-4))))
            (f32x4.mul (local.get $square) (f32x4.splat (f32.const 0.5)))))
        (f32x4.mul (local.get $e) (f32x4.splat (f32.const 0.693359375)))))
    ;; Infinity and NaN stay themselves; 0 gives -Inf, what is below NaN.
    (local.set $f
      (v128.bitselect (local.get $f) (local.get $x)
        (f32x4.lt (local.get $x) (f32x4.splat (f32.const inf)))))
    (v128.bitselect
      (f32x4.div (f32x4.splat (f32.const -1)) (f32x4.abs (local.get $x)))
      (v128.or (local.get $f) (f32x4.lt (local.get $x) (f32x4.splat (f32.const 0))))
      (f32x4.eq (local.get $x) (f32x4.splat (f32.const 0)))))

  ;; log(1 + u), u = e^-|x|. With w the rounded 1 + u, it is log w · u / (w - 1), which makes good what was rounded; where
  ;; w is 1, it is u.
  (func $logOnePlusExp (param $x v128) (result v128)
    (local $u v128) (local $w v128)
    (local.set $u (call $exp (f32x4.neg (f32x4.abs (local.get $x)))))
    (local.set $w (f32x4.add (local.get $u) (f32x4.splat (f32.const 1))))
    (v128.bitselect
      (local.get $u)
      (f32x4.div
        (f32x4.mul (call $log (local.get $w)) (local.get $u))
        (f32x4.sub (local.get $w) (f32x4.splat (f32.const 1))))
      (f32x4.eq (local.get $w) (f32x4.splat (f32.const 1)))))
