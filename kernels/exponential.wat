;; exponential.wat: joined into other modules: exp and log of four values.
;;
;; Accuracy   exp and log to 1.5 units of the last place, subnormal numbers included. NaN stays NaN, e^Inf = Inf,
;;            e^-Inf = 0, log 0 = -Inf, log of less = NaN, as IEEE 754 has it.
;; Source     reduction by Cody & Waite 1980; the polynomials are interpolations at Chebyshev's nodes

  ;; x = n · ln 2 + r, |r| <= ln 2 / 2; gives e^r - 1. n · ln 2 is subtracted in two parts, so that r is exact.
  (func $expOfRest (param $x v128) (param $n v128) (result v128)
    (local $r v128)
    (local.set $r
      (f32x4.sub
        (f32x4.sub (local.get $x) (f32x4.mul (local.get $n) (v128.const f32x4 0.693359375 0.693359375 0.693359375 0.693359375)))
        (f32x4.mul (local.get $n) (v128.const f32x4 -2.12194440e-4 -2.12194440e-4 -2.12194440e-4 -2.12194440e-4))))
    ;; r + r² · (1/2 + r/6 + ..)
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

  (func $wholePowersOfTwo (param $x v128) (result v128)
    (f32x4.nearest (f32x4.mul (local.get $x) (f32x4.splat (f32.const 1.4426950408889634)))))

  ;; 2^n, -126 <= n <= 127
  (func $powerOfTwo (param $n v128) (result v128)
    (i32x4.shl (i32x4.add (local.get $n) (i32x4.splat (i32.const 127))) (i32.const 23)))

  (func $exp (param $x v128) (result v128)
    (local $n v128) (local $half v128)
    ;; Beyond these bounds the result is 0 or Inf. A NaN passes: pmax and pmin give their first operand then.
    (local.set $x
      (f32x4.pmin (f32x4.pmax (local.get $x) (f32x4.splat (f32.const -104))) (f32x4.splat (f32.const 89))))
    (local.set $n (call $wholePowersOfTwo (local.get $x)))
    (local.set $x (f32x4.add (call $expOfRest (local.get $x) (local.get $n)) (f32x4.splat (f32.const 1))))
    ;; In two factors, because 2^n alone may be subnormal or infinite.
    (local.set $n (i32x4.trunc_sat_f32x4_s (local.get $n)))
    (local.set $half (i32x4.shr_s (local.get $n) (i32.const 1)))
    (f32x4.mul
      (f32x4.mul (local.get $x) (call $powerOfTwo (local.get $half)))
      (call $powerOfTwo (i32x4.sub (local.get $n) (local.get $half)))))

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
