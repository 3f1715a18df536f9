;; binary.wat: to[r, c] = f(a[r, c], b[r, c]) for the CPU device, WebAssembly SIMD: one function for each f.
;;
;; Parameters  a, aPitch, aStep, b, bPitch, bStep, to, toPitch: addresses, bytes from one row to the next, and whether
;;             the operand goes on along a row (1) or is one value for all of it (0); rows, columns. A pitch of 0
;;             repeats a row (a bias), a step of 0 a column or a scalar. Contiguous elements are one row. `to` may be a
;;             or b.
;; Method      eight elements at a time where both operands go on along a row, then four
;; Cost        12 B moved an element, one flop: bound by memory bandwidth
;; Edges       what is left of a row (1 to 3 elements) is loaded and stored one by one: nothing beside it is written;
;;             max and min of WebAssembly are NaN where either is, as Math.max is
;; Reference   lib/ops/pointwise/binary.ts, rows in arithmetic.ts and losses.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/exponential.wat

  (func $square (param $x v128) (result v128)
    (f32x4.mul (local.get $x) (local.get $x)))

  ;; -(t · log σ(x) + (1 - t) · log(1 - σ(x))) = max(x, 0) - x · t + log(1 + e^-|x|): no overflow, no log of 0.
  (func $binaryCrossEntropy (param $x v128) (param $t v128) (result v128)
    (f32x4.add
      (f32x4.sub
        (f32x4.pmax (local.get $x) (f32x4.splat (f32.const 0)))
        (f32x4.mul (local.get $x) (local.get $t)))
      (call $logOnePlusExp (local.get $x))))

  ;; f of $x and $y. A mask `and` 1 is 1 where the mask is set, else 0.
  ;; rows
  ;;   add                 (f32x4.add (local.get $x) (local.get $y))
  ;;   subtract            (f32x4.sub (local.get $x) (local.get $y))
  ;;   multiply            (f32x4.mul (local.get $x) (local.get $y))
  ;;   divide              (f32x4.div (local.get $x) (local.get $y))
  ;;   maximum             (f32x4.max (local.get $x) (local.get $y))
  ;;   minimum             (f32x4.min (local.get $x) (local.get $y))
  ;;   greaterShare        (v128.or (v128.and (f32x4.splat (f32.const 1)) (f32x4.gt (local.get $x) (local.get $y))) (v128.and (f32x4.splat (f32.const 0.5)) (f32x4.eq (local.get $x) (local.get $y))))
  ;;   equal               (v128.and (f32x4.splat (f32.const 1)) (f32x4.eq (local.get $x) (local.get $y)))
  ;;   squaredError        (call $square (f32x4.sub (local.get $x) (local.get $y)))
  ;;   binaryCrossEntropy  (call $binaryCrossEntropy (local.get $x) (local.get $y))
  ;; for each row
  (func (export "NAME")
    (param $a i32) (param $aPitch i32) (param $aStep i32) (param $b i32) (param $bPitch i32) (param $bStep i32)
    (param $to i32) (param $toPitch i32) (param $rows i32) (param $columns i32)
    (local $x v128) (local $y v128) (local $left i32) (local $first i32) (local $second i32) (local $target i32)
    (loop $nextRow
      (local.set $first (local.get $a))
      (local.set $second (local.get $b))
      (local.set $target (local.get $to))
      (local.set $left (local.get $columns))
      (local.set $x (v128.load32_splat (local.get $first)))
      (local.set $y (v128.load32_splat (local.get $second)))
      (if (i32.and (local.get $aStep) (local.get $bStep))
        (then
          (block $eightsDone
            (loop $nextEight
              (br_if $eightsDone (i32.lt_u (local.get $left) (i32.const 8)))
              (local.set $x (v128.load (local.get $first)))
              (local.set $y (v128.load (local.get $second)))
              (v128.store (local.get $target) VALUE)
              (local.set $x (v128.load offset=16 (local.get $first)))
              (local.set $y (v128.load offset=16 (local.get $second)))
              (v128.store offset=16 (local.get $target) VALUE)
              (local.set $first (i32.add (local.get $first) (i32.const 32)))
              (local.set $second (i32.add (local.get $second) (i32.const 32)))
              (local.set $target (i32.add (local.get $target) (i32.const 32)))
              (local.set $left (i32.sub (local.get $left) (i32.const 8)))
              (br $nextEight)))))
      (block $rowDone
        (loop $nextQuad
          (if (i32.lt_u (local.get $left) (i32.const 4))
            (then
              (br_if $rowDone (i32.eqz (local.get $left)))
              (if (local.get $aStep)
                (then (local.set $x (call $loadSome (local.get $first) (local.get $left) (local.get $x)))))
              (if (local.get $bStep)
                (then (local.set $y (call $loadSome (local.get $second) (local.get $left) (local.get $y)))))
              (call $storeSome (local.get $target) (local.get $left) VALUE)
              (br $rowDone)))
          (if (local.get $aStep) (then (local.set $x (v128.load (local.get $first)))))
          (if (local.get $bStep) (then (local.set $y (v128.load (local.get $second)))))
          (v128.store (local.get $target) VALUE)
          (local.set $first (i32.add (local.get $first) (i32.const 16)))
          (local.set $second (i32.add (local.get $second) (i32.const 16)))
          (local.set $target (i32.add (local.get $target) (i32.const 16)))
          (local.set $left (i32.sub (local.get $left) (i32.const 4)))
          (br $nextQuad)))
      (local.set $a (i32.add (local.get $a) (local.get $aPitch)))
      (local.set $b (i32.add (local.get $b) (local.get $bPitch)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; end
)
