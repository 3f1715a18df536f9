;; matmul.wat: C = A · B for the CPU device, WebAssembly SIMD.
;;
;; Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32; A and B are read with any strides (so transposed as well), C is
;;             row-major and contiguous
;; Method      the k axis goes in blocks of 256. Of each block, A is packed into panels of 4 rows ([k][4]) and B into
;;             panels of 8 columns ([k][8]), so that the inner loop reads both one after the other. `micro` keeps a
;;             4 x 8 block of C in 8 registers and does, for each k, 2 loads of B, 4 broadcasting loads of A and 8
;;             multiply-adds of 4 lanes: 64 flop for 48 B.
;; Cache       a B panel of a block is 256 · 8 · 4 B = 8 KiB and stays in the first-level cache while all A panels
;;             (4 KiB each) pass by it; every element of A and B is packed once
;; Registers   8 accumulators + 2 of B + 1 of A = 11 of 16; 6 x 8 and 8 x 8 tiles spill and are slower
;; Accuracy    the sum of a block of 256 k is formed on its own and added once, so that rounding errors grow with
;;             √256 + √(K/256), not with √K
;; Edges       panels are filled up with 0; a block of C at the edge is computed into a tile and copied
;; Scratch     128 B of tile, then 256 · 4 B for each row of A rounded up to 4 and each column of B rounded up to 8
;; Source      Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"
;; Reference   lib/ops/matmul.ts
(module
  (import "env" "memory" (memory 1))

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

  ;; c[4][8] = Σ_k a[k][4] ⊗ b[k][8] + (accumulate ? c : 0); rows of c are `ldc` bytes apart.
  (func $micro (param $k i32) (param $a i32) (param $b i32) (param $c i32) (param $ldc i32) (param $accumulate i32)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local $b0 v128) (local $b1 v128) (local $x v128)
    (local $p1 i32) (local $p2 i32) (local $p3 i32)
    (local.set $p1 (i32.add (local.get $c) (local.get $ldc)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $ldc)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $ldc)))
    (loop $next
      (local.set $b0 (v128.load (local.get $b)))
      (local.set $b1 (v128.load offset=16 (local.get $b)))
      (local.set $x (v128.load32_splat (local.get $a)))
      (local.set $c00 (f32x4.add (local.get $c00) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $c01 (f32x4.add (local.get $c01) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $x (v128.load32_splat offset=4 (local.get $a)))
      (local.set $c10 (f32x4.add (local.get $c10) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $c11 (f32x4.add (local.get $c11) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $x (v128.load32_splat offset=8 (local.get $a)))
      (local.set $c20 (f32x4.add (local.get $c20) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $c21 (f32x4.add (local.get $c21) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $x (v128.load32_splat offset=12 (local.get $a)))
      (local.set $c30 (f32x4.add (local.get $c30) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $c31 (f32x4.add (local.get $c31) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $b (i32.add (local.get $b) (i32.const 32)))
      (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
    (if (local.get $accumulate)
      (then
        (local.set $c00 (f32x4.add (local.get $c00) (v128.load (local.get $c))))
        (local.set $c01 (f32x4.add (local.get $c01) (v128.load offset=16 (local.get $c))))
        (local.set $c10 (f32x4.add (local.get $c10) (v128.load (local.get $p1))))
        (local.set $c11 (f32x4.add (local.get $c11) (v128.load offset=16 (local.get $p1))))
        (local.set $c20 (f32x4.add (local.get $c20) (v128.load (local.get $p2))))
        (local.set $c21 (f32x4.add (local.get $c21) (v128.load offset=16 (local.get $p2))))
        (local.set $c30 (f32x4.add (local.get $c30) (v128.load (local.get $p3))))
        (local.set $c31 (f32x4.add (local.get $c31) (v128.load offset=16 (local.get $p3))))))
    (v128.store (local.get $c) (local.get $c00))  (v128.store offset=16 (local.get $c) (local.get $c01))
    (v128.store (local.get $p1) (local.get $c10)) (v128.store offset=16 (local.get $p1) (local.get $c11))
    (v128.store (local.get $p2) (local.get $c20)) (v128.store offset=16 (local.get $p2) (local.get $c21))
    (v128.store (local.get $p3) (local.get $c30)) (v128.store offset=16 (local.get $p3) (local.get $c31)))

  ;; Copies the part of a tile [4][8] that lies inside of C, adding to what is there where `accumulate`.
  (func $copyTile (param $tile i32) (param $c i32) (param $ldc i32) (param $rows i32) (param $columns i32)
                  (param $accumulate i32)
    (local $column i32) (local $value f32) (local $at i32)
    (loop $row
      (if (i32.eqz (local.get $rows)) (then (return)))
      (local.set $column (i32.const 0))
      (loop $next
        (local.set $at (i32.add (local.get $c) (i32.shl (local.get $column) (i32.const 2))))
        (local.set $value (f32.load (i32.add (local.get $tile) (i32.shl (local.get $column) (i32.const 2)))))
        (if (local.get $accumulate)
          (then (local.set $value (f32.add (f32.load (local.get $at)) (local.get $value)))))
        (f32.store (local.get $at) (local.get $value))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $column) (local.get $columns))))
      (local.set $tile (i32.add (local.get $tile) (i32.const 32)))
      (local.set $c (i32.add (local.get $c) (local.get $ldc)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br $row)))

  ;; Strides in bytes: of a row and a step in k of A, of a step in k and a column of B. K >= 1, M >= 1, N >= 1.
  (func (export "matmul")
    (param $a i32) (param $aRow i32) (param $aStep i32)
    (param $b i32) (param $bStep i32) (param $bColumn i32)
    (param $c i32) (param $M i32) (param $N i32) (param $K i32) (param $scratch i32)
    (local $k0 i32) (local $k i32) (local $packedA i32) (local $packedB i32)
    (local $m i32) (local $n i32) (local $panelA i32) (local $panelB i32) (local $rows i32) (local $columns i32)
    (local $at i32) (local $ldc i32)
    (local.set $ldc (i32.shl (local.get $N) (i32.const 2)))
    (local.set $packedA (i32.add (local.get $scratch) (i32.const 128)))
    ;; rows rounded up to 4, times 256 k, times 4 B
    (local.set $packedB (i32.add (local.get $packedA)
      (i32.shl (i32.and (i32.add (local.get $M) (i32.const 3)) (i32.const -4)) (i32.const 10))))
    (loop $block
      (local.set $k (i32.sub (local.get $K) (local.get $k0)))
      (if (i32.gt_u (local.get $k) (i32.const 256)) (then (local.set $k (i32.const 256))))
      (call $pack (i32.add (local.get $a) (i32.mul (local.get $k0) (local.get $aStep)))
        (local.get $aRow) (local.get $aStep) (local.get $M) (local.get $k) (i32.const 4) (local.get $packedA))
      (call $pack (i32.add (local.get $b) (i32.mul (local.get $k0) (local.get $bStep)))
        (local.get $bColumn) (local.get $bStep) (local.get $N) (local.get $k) (i32.const 8) (local.get $packedB))
      (local.set $n (i32.const 0))
      (local.set $panelB (local.get $packedB))
      (loop $nextN
        (local.set $columns (i32.sub (local.get $N) (local.get $n)))
        (local.set $m (i32.const 0))
        (local.set $panelA (local.get $packedA))
        (loop $nextM
          (local.set $rows (i32.sub (local.get $M) (local.get $m)))
          (local.set $at (i32.add (local.get $c)
            (i32.add (i32.mul (local.get $m) (local.get $ldc)) (i32.shl (local.get $n) (i32.const 2)))))
          (if (i32.and (i32.ge_u (local.get $rows) (i32.const 4)) (i32.ge_u (local.get $columns) (i32.const 8)))
            (then
              (call $micro (local.get $k) (local.get $panelA) (local.get $panelB) (local.get $at) (local.get $ldc)
                (local.get $k0)))
            (else
              (call $micro (local.get $k) (local.get $panelA) (local.get $panelB) (local.get $scratch) (i32.const 32)
                (i32.const 0))
              (if (i32.gt_u (local.get $rows) (i32.const 4)) (then (local.set $rows (i32.const 4))))
              (call $copyTile (local.get $scratch) (local.get $at) (local.get $ldc) (local.get $rows)
                (select (i32.const 8) (local.get $columns) (i32.gt_u (local.get $columns) (i32.const 8)))
                (local.get $k0))))
          (local.set $panelA (i32.add (local.get $panelA) (i32.shl (local.get $k) (i32.const 4))))
          (local.set $m (i32.add (local.get $m) (i32.const 4)))
          (br_if $nextM (i32.lt_u (local.get $m) (local.get $M))))
        (local.set $panelB (i32.add (local.get $panelB) (i32.shl (local.get $k) (i32.const 5))))
        (local.set $n (i32.add (local.get $n) (i32.const 8)))
        (br_if $nextN (i32.lt_u (local.get $n) (local.get $N))))
      (local.set $k0 (i32.add (local.get $k0) (local.get $k)))
      (br_if $block (i32.lt_u (local.get $k0) (local.get $K))))))
