;; channel_sums.wat: Σ dy and Σ dy · x̂ of each channel, for the CPU device, WebAssembly SIMD: the gradients of what normalized
;; values are added to and multiplied by.
;;
;; Computes    weight[c] = Σ dy[r, c] · x̂[r, c],  bias[c] = Σ dy[r, c],  x̂ = (x - mean[c]) / √(variance[c] + epsilon)
;; Parameters  columnPairs: Σ dy and Σ dy · (x - mean) of a block of rows: see column_pairs.wat; other is dy, centers the mean.
;;             joinChannelSums: parts, partBytes, stride: what columnPairs left, one block behind the other; blocks: how many;
;;             variance; columns; weight, bias: where the results go; epsilon
;; Cost        8 B read an element, four operations: bound by memory bandwidth beyond the caches
;; Edges       a mean that is not finite counts as 0: its variance is NaN
;; Reference   lib/ops/normalize/channel-sums.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join reduce/double_sums.wat

  ;; Σ dy and Σ dy · (x - mean) of 16 columns.
  (func $pairLine
    (param $other i32) (param $from i32) (param $rows i32) (param $pitch i32) (param $centers i32) (param $to i32)
    (param $stride i32)
    (local $x v128) (local $y v128)
    (local $center0 v128) (local $center1 v128) (local $center2 v128) (local $center3 v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)
    (local $product0 v128) (local $product1 v128) (local $product2 v128) (local $product3 v128)
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
    (local.set $centerNAME (call $finiteOrZero (v128.load VALUE (local.get $centers))))
  ;; end
    (loop $next
  ;; rows
  ;;   0  offset=0
  ;;   1  offset=16
  ;;   2  offset=32
  ;;   3  offset=48
  ;; for each row
      (local.set $x (f32x4.sub (v128.load VALUE (local.get $from)) (local.get $centerNAME)))
      (local.set $y (v128.load VALUE (local.get $other)))
      (local.set $sumNAME (f32x4.add (local.get $sumNAME) (local.get $y)))
      (local.set $productNAME (f32x4.add (local.get $productNAME) (f32x4.mul (local.get $y) (local.get $x))))
  ;; end
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $other (i32.add (local.get $other) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
  ;; rows
  ;;   sum      (local.get $to)
  ;;   product  (i32.add (local.get $to) (local.get $stride))
  ;; for each row
    (local.set $to VALUE)
    (call $addTo (local.get $to) (local.get $NAME0))
    (call $addTo (i32.add (local.get $to) (i32.const 32)) (local.get $NAME1))
    (call $addTo (i32.add (local.get $to) (i32.const 64)) (local.get $NAME2))
    (call $addTo (i32.add (local.get $to) (i32.const 96)) (local.get $NAME3))
  ;; end
    )

  ;; The same of the first `columns` of four columns.
  (func $pairQuad
    (param $other i32) (param $from i32) (param $rows i32) (param $pitch i32) (param $columns i32) (param $centers i32)
    (param $to i32) (param $stride i32)
    (local $x v128) (local $y v128) (local $center v128) (local $sum v128) (local $product v128)
    (local.set $center (call $finiteOrZero (call $loadUpToFour (local.get $centers) (local.get $columns))))
    (loop $next
      (local.set $x (f32x4.sub (call $loadUpToFour (local.get $from) (local.get $columns)) (local.get $center)))
      (local.set $y (call $loadUpToFour (local.get $other) (local.get $columns)))
      (local.set $sum (f32x4.add (local.get $sum) (local.get $y)))
      (local.set $product (f32x4.add (local.get $product) (f32x4.mul (local.get $y) (local.get $x))))
      (local.set $from (i32.add (local.get $from) (local.get $pitch)))
      (local.set $other (i32.add (local.get $other) (local.get $pitch)))
      (br_if $next (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
    (call $addTo (local.get $to) (local.get $sum))
    (call $addTo (i32.add (local.get $to) (local.get $stride)) (local.get $product)))

  ;; join reduce/column_pairs.wat

  (func (export "joinChannelSums")
    (param $parts i32) (param $partBytes i32) (param $stride i32) (param $blocks i32) (param $variance i32)
    (param $columns i32) (param $weight i32) (param $bias i32) (param $epsilon f64)
    (local $block i32) (local $part i32) (local $sum f64) (local $product f64)
    (loop $nextColumn
      (local.set $sum (f64.const 0))
      (local.set $product (f64.const 0))
      (local.set $part (local.get $parts))
      (local.set $block (local.get $blocks))
      (loop $nextBlock
        (local.set $sum (f64.add (local.get $sum) (f64.load (local.get $part))))
        (local.set $product
          (f64.add (local.get $product) (f64.load (i32.add (local.get $part) (local.get $stride)))))
        (local.set $part (i32.add (local.get $part) (local.get $partBytes)))
        (br_if $nextBlock (local.tee $block (i32.sub (local.get $block) (i32.const 1)))))
      (f32.store (local.get $bias) (f32.demote_f64 (local.get $sum)))
      (f32.store (local.get $weight)
        (f32.demote_f64
          (f64.div (local.get $product)
            (f64.sqrt (f64.add (f64.promote_f32 (f32.load (local.get $variance))) (local.get $epsilon))))))
      (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
      (local.set $variance (i32.add (local.get $variance) (i32.const 4)))
      (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
      (local.set $bias (i32.add (local.get $bias) (i32.const 4)))
      (br_if $nextColumn (local.tee $columns (i32.sub (local.get $columns) (i32.const 1))))))
)
