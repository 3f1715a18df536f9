;; average_pool2d.wat: the mean of each window, and its gradient, for the CPU device, WebAssembly SIMD.
;;
;; Computes    averagePool2d          to[n, row, column, c] = Σ from[n, y, x, c] / counted(row, column) over the window's places in
;;                                    the picture
;;             averagePool2dGradient  to[n, y, x, c] = Σ from[n, row, column, c] / counted(row, column) over the windows that
;;                                    have (y, x)
;; Parameters  windows.wat and window_gradients.wat say how they are called
;; Method      sixteen channels at a time, then four
;; Cost        two instructions for four elements of a window (gradient: three), 4 B read or written an element of the picture:
;;             bound by memory bandwidth but where windows overlap often
;; Edges       channels beyond whole fours are loaded and stored one by one: nothing beside them is written
;; Reference   lib/ops/pooling/average-pool2d.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join pooling/pool_window.wat

  ;; All channels of the mean of a window.
  (func $mean
    (param $tap i32) (param $tapRows i32) (param $tapColumns i32) (param $rowPitch i32) (param $columnPitch i32)
    (param $place i32) (param $placePitch i32) (param $counted f32) (param $to i32) (param $places i32)
    (param $channels i32)
    (local $row i32) (local $rows i32) (local $from i32) (local $left i32) (local $number v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $number (f32x4.splat (local.get $counted)))
    (block $sixteensDone
      (loop $nextSixteen
        (br_if $sixteensDone (i32.lt_s (local.get $channels) (i32.const 16)))
        (local.set $a (f32x4.splat (f32.const 0)))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (local.set $row (local.get $tap))
        (local.set $rows (local.get $tapRows))
        (loop $nextRow
          (local.set $from (local.get $row))
          (local.set $left (local.get $tapColumns))
          (loop $nextColumn
            (local.set $a (f32x4.add (local.get $a) (v128.load (local.get $from))))
            (local.set $b (f32x4.add (local.get $b) (v128.load offset=16 (local.get $from))))
            (local.set $c (f32x4.add (local.get $c) (v128.load offset=32 (local.get $from))))
            (local.set $d (f32x4.add (local.get $d) (v128.load offset=48 (local.get $from))))
            (local.set $from (i32.add (local.get $from) (local.get $columnPitch)))
            (br_if $nextColumn (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $row (i32.add (local.get $row) (local.get $rowPitch)))
          (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
        (v128.store (local.get $to) (f32x4.div (local.get $a) (local.get $number)))
        (v128.store offset=16 (local.get $to) (f32x4.div (local.get $b) (local.get $number)))
        (v128.store offset=32 (local.get $to) (f32x4.div (local.get $c) (local.get $number)))
        (v128.store offset=48 (local.get $to) (f32x4.div (local.get $d) (local.get $number)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 16)))
        (br $nextSixteen)))
    (block $done
      (loop $nextFour
        (br_if $done (i32.le_s (local.get $channels) (i32.const 0)))
        (local.set $a (f32x4.splat (f32.const 0)))
        (local.set $row (local.get $tap))
        (local.set $rows (local.get $tapRows))
        (loop $nextRow
          (local.set $from (local.get $row))
          (local.set $left (local.get $tapColumns))
          (loop $nextColumn
            (local.set $a
              (f32x4.add (local.get $a) (call $loadQuad (local.get $from) (local.get $channels))))
            (local.set $from (i32.add (local.get $from) (local.get $columnPitch)))
            (br_if $nextColumn (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $row (i32.add (local.get $row) (local.get $rowPitch)))
          (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
        (call $storeQuad
          (local.get $to) (local.get $channels) (f32x4.div (local.get $a) (local.get $number)))
        (local.set $tap (i32.add (local.get $tap) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 4)))
        (br $nextFour))))

  ;; rows
  ;;   averagePool2d  mean

  ;; join pooling/windows.wat

  ;; It takes no table.
  (func $begin (param i32) (param i32) (param i32) (param i32) (param i32))

  ;; Adds a share of a window's gradient to each of its places.
  (func $addShares
    (param $from i32) (param $places i32) (param $table i32) (param $to i32)
    (param $i i32) (param $endI i32) (param $j i32) (param $endJ i32)
    (param $rowPitch i32) (param $columnPitch i32) (param $kernelHeight i32) (param $kernelWidth i32)
    (param $counted f32) (param $channels i32)
    (local $row i32) (local $rows i32) (local $at i32) (local $left i32) (local $number v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    ;; The first place inside.
    (local.set $to
      (i32.add
        (local.get $to)
        (i32.add
          (i32.mul (local.get $i) (local.get $rowPitch))
          (i32.mul (local.get $j) (local.get $columnPitch)))))
    (local.set $number (f32x4.splat (local.get $counted)))
    (block $sixteensDone
      (loop $nextSixteen
        (br_if $sixteensDone (i32.lt_s (local.get $channels) (i32.const 16)))
        (local.set $a (f32x4.div (v128.load (local.get $from)) (local.get $number)))
        (local.set $b (f32x4.div (v128.load offset=16 (local.get $from)) (local.get $number)))
        (local.set $c (f32x4.div (v128.load offset=32 (local.get $from)) (local.get $number)))
        (local.set $d (f32x4.div (v128.load offset=48 (local.get $from)) (local.get $number)))
        (local.set $row (local.get $to))
        (local.set $rows (i32.sub (local.get $endI) (local.get $i)))
        (loop $nextRow
          (local.set $at (local.get $row))
          (local.set $left (i32.sub (local.get $endJ) (local.get $j)))
          (loop $nextColumn
            (v128.store (local.get $at) (f32x4.add (v128.load (local.get $at)) (local.get $a)))
            (v128.store offset=16 (local.get $at) (f32x4.add (v128.load offset=16 (local.get $at)) (local.get $b)))
            (v128.store offset=32 (local.get $at) (f32x4.add (v128.load offset=32 (local.get $at)) (local.get $c)))
            (v128.store offset=48 (local.get $at) (f32x4.add (v128.load offset=48 (local.get $at)) (local.get $d)))
            (local.set $at (i32.add (local.get $at) (local.get $columnPitch)))
            (br_if $nextColumn (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $row (i32.add (local.get $row) (local.get $rowPitch)))
          (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
        (local.set $from (i32.add (local.get $from) (i32.const 64)))
        (local.set $to (i32.add (local.get $to) (i32.const 64)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 16)))
        (br $nextSixteen)))
    (block $done
      (loop $nextFour
        (br_if $done (i32.le_s (local.get $channels) (i32.const 0)))
        (local.set $a (f32x4.div (call $loadQuad (local.get $from) (local.get $channels)) (local.get $number)))
        (local.set $row (local.get $to))
        (local.set $rows (i32.sub (local.get $endI) (local.get $i)))
        (loop $nextRow
          (local.set $at (local.get $row))
          (local.set $left (i32.sub (local.get $endJ) (local.get $j)))
          (loop $nextColumn
            (call $storeQuad
              (local.get $at)
              (local.get $channels)
              (f32x4.add (call $loadQuad (local.get $at) (local.get $channels)) (local.get $a)))
            (local.set $at (i32.add (local.get $at) (local.get $columnPitch)))
            (br_if $nextColumn (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (local.set $row (i32.add (local.get $row) (local.get $rowPitch)))
          (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (local.set $channels (i32.sub (local.get $channels) (i32.const 4)))
        (br $nextFour))))

  ;; rows
  ;;   averagePool2dGradient  addShares

  ;; join pooling/window_gradients.wat
)
