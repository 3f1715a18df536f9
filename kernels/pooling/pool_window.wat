;; pool_window.wat: joined into kernels of pooling: which places of a window lie in a picture, and which count, along an
;; axis. Place i of a window that begins at `start` stands at start + i · dilation.

  ;; The first place inside; and the one behind the last.
  (func $firstInside (param $start i32) (param $dilation i32) (result i32)
    (if (result i32) (i32.ge_s (local.get $start) (i32.const 0))
      (then (i32.const 0))
      (else
        (i32.div_s
          (i32.sub (i32.sub (local.get $dilation) (i32.const 1)) (local.get $start))
          (local.get $dilation)))))

  (func $endInside (param $start i32) (param $dilation i32) (param $kernel i32) (param $size i32) (result i32)
    (call $smaller
      (local.get $kernel)
      (i32.div_s
        (i32.add (i32.sub (local.get $size) (local.get $start)) (i32.sub (local.get $dilation) (i32.const 1)))
        (local.get $dilation))))

  (func $smaller (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_s (local.get $a) (local.get $b))))

  ;; Places of a window along an axis that count.
  (func $countedAlong
    (param $start i32) (param $kernel i32) (param $size i32) (param $before i32) (param $behind i32) (result i32)
    (i32.add
      (call $smaller
        (i32.add (local.get $start) (local.get $kernel))
        (i32.add (local.get $size) (local.get $behind)))
      ;; -max(start, -before)
      (call $smaller (i32.sub (i32.const 0) (local.get $start)) (local.get $before))))
