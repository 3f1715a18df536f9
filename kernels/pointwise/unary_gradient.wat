;; unary_gradient.wat: dInput[r, c] = dOutput[r, c] · f'(input[r, c]) for the CPU device, WebAssembly SIMD: one function
;; for each f'.
;;
;; Parameters  input, inputPitch, dOutput, dOutputPitch, dInput, dInputPitch: addresses, and bytes from one row to the
;;             next; rows, columns; the parameters of f. Contiguous elements are one row. dInput may be input or dOutput.
;; Method      eight elements at a time, then four, as in unary.wat
;; Cost        12 B moved an element: bound by memory bandwidth, except for those with exp
;; Edges       a derivative of 0 gives 0 whatever dOutput is (Inf too), as a threshold does; what is left of a row (1 to
;;             3 elements) is loaded and stored one by one
;; Reference   lib/ops/pointwise/unary.ts, rows in math.ts and activations.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/exponential.wat
  ;; join pointwise/pointwise.wat

  ;; f' of $x with the parameters $a, $b. A mask `and` 1 is 1 where the mask is set, else 0.
  ;; rows
  ;;   negateDerivative             (f32x4.splat (f32.const -1))
  ;;   exponentialDerivative        (call $exp (local.get $x))
  ;;   logarithmDerivative          (f32x4.div (local.get $one) (local.get $x))
  ;;   squareRootDerivative         (f32x4.div (f32x4.splat (f32.const 0.5)) (f32x4.sqrt (local.get $x)))
  ;;   absoluteDerivative           (v128.bitselect (v128.bitselect (local.get $x) (local.get $one) (i32x4.splat (i32.const 0x80000000))) (local.get $x) (f32x4.gt (f32x4.abs (local.get $x)) (f32x4.splat (f32.const 0))))
  ;;   squareDerivative             (f32x4.add (local.get $x) (local.get $x))
  ;;   reciprocalDerivative         (f32x4.div (f32x4.splat (f32.const -1)) (f32x4.mul (local.get $x) (local.get $x)))
  ;;   clampToDerivative            (v128.and (local.get $one) (v128.and (f32x4.ge (local.get $x) (local.get $a)) (f32x4.le (local.get $x) (local.get $b))))
  ;;   reluDerivative               (v128.and (local.get $one) (f32x4.gt (local.get $x) (f32x4.splat (f32.const 0))))
  ;;   relu6Derivative              (v128.and (local.get $one) (v128.and (f32x4.gt (local.get $x) (f32x4.splat (f32.const 0))) (f32x4.lt (local.get $x) (f32x4.splat (f32.const 6)))))
  ;;   leakyReluDerivative          (v128.bitselect (local.get $one) (local.get $a) (f32x4.gt (local.get $x) (f32x4.splat (f32.const 0))))
  ;;   eluDerivative                (call $eluDerivative (local.get $x) (local.get $a))
  ;;   sigmoidDerivative            (call $sigmoidDerivative (local.get $x))
  ;;   hyperbolicTangentDerivative  (call $tanhDerivative (local.get $x))
  ;;   siluDerivative               (call $siluDerivative (local.get $x))
  ;;   softplusDerivative           (call $sigmoid (local.get $x))
  ;;   hardswishDerivative          (call $hardswishDerivative (local.get $x))
  ;;   geluDerivative               (call $geluDerivative (local.get $x))
  ;;   geluTanhDerivative           (call $geluTanhDerivative (local.get $x))
  ;; for each row
  (func (export "NAME")
    (param $input i32) (param $inputPitch i32) (param $dOutput i32) (param $dOutputPitch i32)
    (param $dInput i32) (param $dInputPitch i32)
    (param $rows i32) (param $columns i32) (param $first f32) (param $second f32)
    (local $a v128) (local $b v128) (local $one v128) (local $x v128) (local $slope v128) (local $dy v128)
    (local $source i32) (local $factor i32) (local $target i32) (local $left i32)
    (local.set $a (f32x4.splat (local.get $first)))
    (local.set $b (f32x4.splat (local.get $second)))
    (local.set $one (f32x4.splat (f32.const 1)))
    (loop $nextRow
      (local.set $source (local.get $input))
      (local.set $factor (local.get $dOutput))
      (local.set $target (local.get $dInput))
      (local.set $left (local.get $columns))
      (block $eightsDone
        (loop $nextEight
          (br_if $eightsDone (i32.lt_u (local.get $left) (i32.const 8)))
          (local.set $x (v128.load (local.get $source)))
          (local.set $slope VALUE)
          (v128.store (local.get $target)
            (v128.andnot
              (f32x4.mul (local.get $slope) (v128.load (local.get $factor)))
              (f32x4.eq (local.get $slope) (f32x4.splat (f32.const 0)))))
          (local.set $x (v128.load offset=16 (local.get $source)))
          (local.set $slope VALUE)
          (v128.store offset=16 (local.get $target)
            (v128.andnot
              (f32x4.mul (local.get $slope) (v128.load offset=16 (local.get $factor)))
              (f32x4.eq (local.get $slope) (f32x4.splat (f32.const 0)))))
          (local.set $source (i32.add (local.get $source) (i32.const 32)))
          (local.set $factor (i32.add (local.get $factor) (i32.const 32)))
          (local.set $target (i32.add (local.get $target) (i32.const 32)))
          (local.set $left (i32.sub (local.get $left) (i32.const 8)))
          (br $nextEight)))
      (loop $nextQuad
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (local.set $x (v128.load (local.get $source)))
            (local.set $dy (v128.load (local.get $factor))))
          (else
            (local.set $x (call $loadSome (local.get $source) (local.get $left) (local.get $a)))
            (local.set $dy (call $loadSome (local.get $factor) (local.get $left) (local.get $a)))))
        (local.set $slope VALUE)
        (local.set $x
          (v128.andnot
            (f32x4.mul (local.get $slope) (local.get $dy))
            (f32x4.eq (local.get $slope) (f32x4.splat (f32.const 0)))))
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (v128.store (local.get $target) (local.get $x))
            (local.set $source (i32.add (local.get $source) (i32.const 16)))
            (local.set $factor (i32.add (local.get $factor) (i32.const 16)))
            (local.set $target (i32.add (local.get $target) (i32.const 16)))
            (br_if $nextQuad (local.tee $left (i32.sub (local.get $left) (i32.const 4)))))
          (else (call $storeSome (local.get $target) (local.get $left) (local.get $x)))))
      (local.set $input (i32.add (local.get $input) (local.get $inputPitch)))
      (local.set $dOutput (i32.add (local.get $dOutput) (local.get $dOutputPitch)))
      (local.set $dInput (i32.add (local.get $dInput) (local.get $dInputPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; end
)
