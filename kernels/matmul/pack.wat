;; pack.wat: joined into other modules: lines of a matrix packed into panels, in the order in which a product reads them.

  ;; Packs four lines (rows of A or columns of B; `lines` of them exist) over k into dst[k][..4], 16 bytes each
  ;; `dstStep` apart. Strides are in bytes.
  (func $packQuad (param $src i32) (param $lineStride i32) (param $kStride i32) (param $lines i32) (param $k i32)
                  (param $dst i32) (param $dstStep i32)
    (local $r0 v128) (local $r1 v128) (local $r2 v128) (local $r3 v128)
    (local $t0 v128) (local $t1 v128) (local $t2 v128) (local $t3 v128)
    (local $p1 i32) (local $p2 i32) (local $p3 i32)
    ;; The lines are neighbours in memory: one vector for each k.
    (if (i32.and (i32.eq (local.get $lineStride) (i32.const 4)) (i32.eq (local.get $lines) (i32.const 4)))
      (then
        (loop $next
          (if (i32.eqz (local.get $k)) (then (return)))
          (v128.store (local.get $dst) (v128.load (local.get $src)))
          (local.set $src (i32.add (local.get $src) (local.get $kStride)))
          (local.set $dst (i32.add (local.get $dst) (local.get $dstStep)))
          (local.set $k (i32.sub (local.get $k) (i32.const 1)))
          (br $next))))
    ;; The lines run along memory: four k at a time, transposed in registers.
    (if (i32.and (i32.eq (local.get $kStride) (i32.const 4)) (i32.eq (local.get $lines) (i32.const 4)))
      (then
        (block $done
          (loop $next
            (br_if $done (i32.lt_u (local.get $k) (i32.const 4)))
            (local.set $p1 (i32.add (local.get $src) (local.get $lineStride)))
            (local.set $p2 (i32.add (local.get $p1) (local.get $lineStride)))
            (local.set $p3 (i32.add (local.get $p2) (local.get $lineStride)))
            (local.set $r0 (v128.load (local.get $src)))
            (local.set $r1 (v128.load (local.get $p1)))
            (local.set $r2 (v128.load (local.get $p2)))
            (local.set $r3 (v128.load (local.get $p3)))
            ;; t0 = r0.0 r1.0 r0.1 r1.1, t1 = r0.2 r1.2 r0.3 r1.3, t2 and t3 likewise of r2 and r3
            (local.set $t0 (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $r0) (local.get $r1)))
            (local.set $t1 (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $r0) (local.get $r1)))
            (local.set $t2 (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $r2) (local.get $r3)))
            (local.set $t3 (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $r2) (local.get $r3)))
            (v128.store (local.get $dst)
              (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $t0) (local.get $t2)))
            (local.set $dst (i32.add (local.get $dst) (local.get $dstStep)))
            (v128.store (local.get $dst)
              (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $t0) (local.get $t2)))
            (local.set $dst (i32.add (local.get $dst) (local.get $dstStep)))
            (v128.store (local.get $dst)
              (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $t1) (local.get $t3)))
            (local.set $dst (i32.add (local.get $dst) (local.get $dstStep)))
            (v128.store (local.get $dst)
              (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $t1) (local.get $t3)))
            (local.set $dst (i32.add (local.get $dst) (local.get $dstStep)))
            (local.set $src (i32.add (local.get $src) (i32.const 16)))
            (local.set $k (i32.sub (local.get $k) (i32.const 4)))
            (br $next)))))
    ;; The rest, and lines that do not exist: one element at a time.
    (loop $next
      (if (i32.eqz (local.get $k)) (then (return)))
      (local.set $p1 (i32.add (local.get $src) (local.get $lineStride)))
      (local.set $p2 (i32.add (local.get $p1) (local.get $lineStride)))
      (local.set $p3 (i32.add (local.get $p2) (local.get $lineStride)))
      (v128.store (local.get $dst) (v128.const f32x4 0 0 0 0))
      (f32.store (local.get $dst) (f32.load (local.get $src)))
      (if (i32.gt_u (local.get $lines) (i32.const 1)) (then (f32.store offset=4 (local.get $dst) (f32.load (local.get $p1)))))
      (if (i32.gt_u (local.get $lines) (i32.const 2)) (then (f32.store offset=8 (local.get $dst) (f32.load (local.get $p2)))))
      (if (i32.gt_u (local.get $lines) (i32.const 3)) (then (f32.store offset=12 (local.get $dst) (f32.load (local.get $p3)))))
      (local.set $src (i32.add (local.get $src) (local.get $kStride)))
      (local.set $dst (i32.add (local.get $dst) (local.get $dstStep)))
      (local.set $k (i32.sub (local.get $k) (i32.const 1)))
      (br $next)))

  ;; Packs `count` lines in panels of `width` (4 or 8) over k into dst [panel][k][width].
  (func $pack (param $src i32) (param $lineStride i32) (param $kStride i32) (param $count i32) (param $k i32)
              (param $width i32) (param $dst i32)
    (local $quad i32) (local $lines i32) (local $at i32) (local $step i32)
    (local.set $step (i32.shl (local.get $width) (i32.const 2)))
    (loop $panel
      (if (i32.le_s (local.get $count) (i32.const 0)) (then (return)))
      (local.set $quad (i32.const 0))
      (loop $nextQuad
        (local.set $at (i32.add (local.get $dst) (i32.shl (local.get $quad) (i32.const 2))))
        (local.set $lines (i32.sub (local.get $count) (local.get $quad)))
        (if (i32.gt_s (local.get $lines) (i32.const 4)) (then (local.set $lines (i32.const 4))))
        (if (i32.gt_s (local.get $lines) (i32.const 0))
          (then
            (call $packQuad
              (i32.add (local.get $src) (i32.mul (local.get $quad) (local.get $lineStride)))
              (local.get $lineStride) (local.get $kStride) (local.get $lines) (local.get $k)
              (local.get $at) (local.get $step)))
          (else (call $clearQuad (local.get $at) (local.get $step) (local.get $k))))
        (local.set $quad (i32.add (local.get $quad) (i32.const 4)))
        (br_if $nextQuad (i32.lt_u (local.get $quad) (local.get $width))))
      (local.set $src (i32.add (local.get $src) (i32.mul (local.get $width) (local.get $lineStride))))
      (local.set $dst (i32.add (local.get $dst) (i32.mul (local.get $step) (local.get $k))))
      (local.set $count (i32.sub (local.get $count) (local.get $width)))
      (br $panel)))

  (func $clearQuad (param $dst i32) (param $step i32) (param $k i32)
    (loop $next
      (if (i32.eqz (local.get $k)) (then (return)))
      (v128.store (local.get $dst) (v128.const f32x4 0 0 0 0))
      (local.set $dst (i32.add (local.get $dst) (local.get $step)))
      (local.set $k (i32.sub (local.get $k) (i32.const 1)))
      (br $next)))
