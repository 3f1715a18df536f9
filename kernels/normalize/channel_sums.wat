;; channel_sums.wat: Σ dy and Σ dy · x̂ of each channel, for the CPU device, WebAssembly SIMD: the gradients of what normalized
;; values are added to and multiplied by.
;;
;; Computes    weight[c] = Σ dy[r, c] · x̂[r, c],  bias[c] = Σ dy[r, c],  x̂ = (x - mean[c]) / √(variance[c] + epsilon)
;; Parameters  channelSums: Σ dy and Σ dy · (x - mean) of a block of rows: see column_pairs.wat; other is dy, centers the mean.
;;             joinChannelSums: parts, partBytes, stride: what channelSums left, one block behind the other; blocks: how many;
;;             variance; columns; weight, bias: where the results go; epsilon
;; Cost        8 B read an element, four operations: bound by memory bandwidth beyond the caches
;; Edges       a mean that is not finite counts as 0: its variance is NaN
;; Reference   lib/ops/normalize/channel-sums.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join reduce/double_sums.wat

  ;; rows
  ;;   channelSums  (local.get $y)

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
