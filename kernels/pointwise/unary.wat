;; unary.wat: to[r, c] = f(from[r, c]) for the CPU device, WebAssembly SIMD: one function for each f.
;;
;; Parameters  from, fromPitch, to, toPitch: addresses, and bytes from one row to the next; rows, columns; the
;;             parameters of f. Contiguous elements are one row. `to` may be `from`.
;; Method      16 elements at a time, then four; cheap functions stand in the loop, the others are called (1.4 ns each)
;; Cost        8 B moved an element: bound by memory bandwidth, except for those with exp, which take about 1 ns
;; Edges       what is left of a row (1 to 3 elements) is loaded and stored one by one: nothing beside it is written
;; Reference   lib/ops/pointwise/unary.ts, rows in math.ts and activations.ts; nearestFloat16: lib/ops/pointwise/float16.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/exponential.wat
  ;; join pointwise/pointwise.wat
  ;; join common/float16.wat

  ;; f of $x with the parameters $a, $b.
  ;; rows
  ;;   negate             (f32x4.neg (local.get $x))
  ;;   exponential        (call $exp (local.get $x))
  ;;   logarithm          (call $log (local.get $x))
  ;;   squareRoot         (f32x4.sqrt (local.get $x))
  ;;   absolute           (f32x4.abs (local.get $x))
  ;;   square             (f32x4.mul (local.get $x) (local.get $x))
  ;;   reciprocal         (f32x4.div (f32x4.splat (f32.const 1)) (local.get $x))
  ;;   clampTo            (f32x4.pmin (f32x4.pmax (local.get $x) (local.get $a)) (local.get $b))
  ;;   relu               (f32x4.pmax (local.get $x) (f32x4.splat (f32.const 0)))
  ;;   relu6              (f32x4.pmin (f32x4.pmax (local.get $x) (f32x4.splat (f32.const 0))) (f32x4.splat (f32.const 6)))
  ;;   leakyRelu          (v128.bitselect (f32x4.mul (local.get $x) (local.get $a)) (local.get $x) (f32x4.lt (local.get $x) (f32x4.splat (f32.const 0))))
  ;;   elu                (call $elu (local.get $x) (local.get $a))
  ;;   sigmoid            (call $sigmoid (local.get $x))
  ;;   hyperbolicTangent  (call $tanh (local.get $x))
  ;;   silu               (f32x4.mul (local.get $x) (call $sigmoid (local.get $x)))
  ;;   softplus           (call $softplus (local.get $x))
  ;;   hardswish          (f32x4.div (f32x4.mul (local.get $x) (f32x4.pmin (f32x4.pmax (f32x4.add (local.get $x) (f32x4.splat (f32.const 3))) (f32x4.splat (f32.const 0))) (f32x4.splat (f32.const 6)))) (f32x4.splat (f32.const 6)))
  ;;   gelu               (call $gelu (local.get $x))
  ;;   geluTanh           (call $geluTanh (local.get $x))
  ;;   nearestFloat16     (call $nearestFloat16 (local.get $x))
  ;; for each row
  (func (export "NAME")
    (param $from i32) (param $fromPitch i32) (param $to i32) (param $toPitch i32)
    (param $rows i32) (param $columns i32) (param $first f32) (param $second f32)
    (local $a v128) (local $b v128) (local $x v128) (local $source i32) (local $target i32) (local $left i32)
    (local.set $a (f32x4.splat (local.get $first)))
    (local.set $b (f32x4.splat (local.get $second)))
    (loop $nextRow
      (local.set $source (local.get $from))
      (local.set $target (local.get $to))
      (local.set $left (local.get $columns))
      (block $sixteensDone
        (loop $nextSixteen
          (br_if $sixteensDone (i32.lt_u (local.get $left) (i32.const 16)))
          (local.set $x (v128.load (local.get $source)))
          (v128.store (local.get $target) VALUE)
          (local.set $x (v128.load offset=16 (local.get $source)))
          (v128.store offset=16 (local.get $target) VALUE)
          (local.set $x (v128.load offset=32 (local.get $source)))
          (v128.store offset=32 (local.get $target) VALUE)
          (local.set $x (v128.load offset=48 (local.get $source)))
          (v128.store offset=48 (local.get $target) VALUE)
          (local.set $source (i32.add (local.get $source) (i32.const 64)))
          (local.set $target (i32.add (local.get $target) (i32.const 64)))
          (local.set $left (i32.sub (local.get $left) (i32.const 16)))
          (br $nextSixteen)))
      (loop $nextQuad
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then (local.set $x (v128.load (local.get $source))))
          (else (local.set $x (call $loadSome (local.get $source) (local.get $left) (local.get $a)))))
        (local.set $x VALUE)
        (if (i32.ge_u (local.get $left) (i32.const 4))
          (then
            (v128.store (local.get $target) (local.get $x))
            (local.set $source (i32.add (local.get $source) (i32.const 16)))
            (local.set $target (i32.add (local.get $target) (i32.const 16)))
            (br_if $nextQuad (local.tee $left (i32.sub (local.get $left) (i32.const 4)))))
          (else (call $storeSome (local.get $target) (local.get $left) (local.get $x)))))
      (local.set $from (i32.add (local.get $from) (local.get $fromPitch)))
      (local.set $to (i32.add (local.get $to) (local.get $toPitch)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; end
)
