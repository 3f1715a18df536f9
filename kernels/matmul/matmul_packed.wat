;; matmul_packed.wat: C = A · B for the CPU device by packed panels, WebAssembly SIMD.
;;
;; Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32, for a block of C: A, B and C are pointers to where the block begins.
;;             Strides are in bytes: `aRow` and `aStep` from a row and from a k of A to the next, `bStep` and `bColumn`
;;             likewise of B, so that both may be transposed; rows of C are `ldc` apart, its columns 4. K >= 1
;; Blocks      the k axis goes in blocks of 256. Of each block, A is packed into panels of 4 rows ([k][4]), and B, one
;;             after the other, into panels of 8 columns ([k][8]), so that the inner loop reads both in order. `micro`
;;             keeps a 4 x 8 block of C in 8 registers and does, for each k, 2 loads of B, 4 broadcasting loads of A and
;;             8 multiply-adds of 4 lanes: 64 flop for 48 B.
;; Few k       up to 32 k, lines that lie side by side are not packed but read as they lie: packing would take a large part
;;             of the time
;; Cache       a B panel of a block is 256 · 8 · 4 B = 8 KiB and stays in the first-level cache while all A panels (4 KiB
;;             each) pass by it; with 128 rows of A these are 128 KiB, in the second level
;; Registers   4 x 8: 8 accumulators + 2 of B + 4 of A + 1 product = 15 of 16, since V8 loads all that a step needs
;;             before it multiplies; 6 x 8 and 8 x 8 tiles spill and are slower
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    the sum of a block is formed on its own and added once, so that rounding errors grow with √256 + √(K/256),
;;             not with √K
;; Edges       panels are filled up with 0; a block of C at the edge is computed into a tile and copied
;; Scratch     128 B of tile, 8 KiB of B panel, 1 KiB for each row of A rounded up to 4
;; Source      Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"
;; Reference   lib/ops/matmul/matmul.ts
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

  ;; c[4][8] = Σ_k a[k][4] ⊗ b[k][8] + (accumulate ? c : 0); the k of a and b, and the rows of c, are `aStep`, `bStep`
  ;; and `ldc` bytes apart.
  ;; A branch ends each step of k: a compiler that moved the loads of many steps to the front would spill.
  (func $micro (param $k i32) (param $a i32) (param $aStep i32) (param $b i32) (param $bStep i32)
               (param $c i32) (param $ldc i32) (param $accumulate i32)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local $b0 v128) (local $b1 v128) (local $x v128)
    (local $p1 i32) (local $p2 i32) (local $p3 i32)
    (local.set $p1 (i32.add (local.get $c) (local.get $ldc)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $ldc)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $ldc)))
    (block $done (loop $next
      (local.set $b0 (v128.load (local.get $b)))
      (local.set $b1 (v128.load offset=16 (local.get $b)))
      (local.set $x (v128.load32_splat (local.get $a)))
      (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c00)))
      (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c01)))
      (local.set $x (v128.load32_splat offset=4 (local.get $a)))
      (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c10)))
      (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c11)))
      (local.set $x (v128.load32_splat offset=8 (local.get $a)))
      (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c20)))
      (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c21)))
      (local.set $x (v128.load32_splat offset=12 (local.get $a)))
      (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c30)))
      (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c31)))
      (local.set $a (i32.add (local.get $a) (local.get $aStep)))
      (local.set $b (i32.add (local.get $b) (local.get $bStep)))
      (br_if $done (i32.eq (local.get $k) (i32.const 1)))
      (local.set $b0 (v128.load (local.get $b)))
      (local.set $b1 (v128.load offset=16 (local.get $b)))
      (local.set $x (v128.load32_splat (local.get $a)))
      (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c00)))
      (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c01)))
      (local.set $x (v128.load32_splat offset=4 (local.get $a)))
      (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c10)))
      (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c11)))
      (local.set $x (v128.load32_splat offset=8 (local.get $a)))
      (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c20)))
      (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c21)))
      (local.set $x (v128.load32_splat offset=12 (local.get $a)))
      (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $c30)))
      (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $b1)) (local.get $c31)))
      (local.set $a (i32.add (local.get $a) (local.get $aStep)))
      (local.set $b (i32.add (local.get $b) (local.get $bStep)))
      (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 2))))))
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

(func (export "packed")
    (param $a i32) (param $aRow i32) (param $aStep i32)
    (param $b i32) (param $bStep i32) (param $bColumn i32)
    (param $c i32) (param $ldc i32) (param $M i32) (param $N i32) (param $K i32) (param $scratch i32)
    (local $k0 i32) (local $k i32) (local $m i32) (local $n i32) (local $rows i32) (local $columns i32) (local $at i32)
    (local $packedA i32) (local $packedB i32) (local $isFlatA i32) (local $isFlatB i32)
    (local $panelA i32) (local $stepA i32) (local $panelB i32) (local $stepB i32)
    (local.set $packedB (i32.add (local.get $scratch) (i32.const 128)))
    (local.set $packedA (i32.add (local.get $packedB) (i32.const 8192)))
    ;; Of so few k, lines that lie side by side are read as they lie: packing them would take a large part of the time.
    (local.set $isFlatA (i32.and (i32.le_u (local.get $K) (i32.const 32)) (i32.eq (local.get $aRow) (i32.const 4))))
    (local.set $isFlatB (i32.and (i32.le_u (local.get $K) (i32.const 32)) (i32.eq (local.get $bColumn) (i32.const 4))))
    (loop $block
      (local.set $k (i32.sub (local.get $K) (local.get $k0)))
      (if (i32.gt_u (local.get $k) (i32.const 256)) (then (local.set $k (i32.const 256))))
      (local.set $at (i32.add (local.get $a) (i32.mul (local.get $k0) (local.get $aStep))))
      (if (i32.eqz (local.get $isFlatA))
        (then
          (call $pack (local.get $at) (local.get $aRow) (local.get $aStep) (local.get $M) (local.get $k) (i32.const 4)
            (local.get $packedA)))
        (else
          ;; rows at the edge, of which there are not four
          (local.set $m (i32.and (local.get $M) (i32.const -4)))
          (call $pack (i32.add (local.get $at) (i32.shl (local.get $m) (i32.const 2)))
            (local.get $aRow) (local.get $aStep) (i32.and (local.get $M) (i32.const 3)) (local.get $k) (i32.const 4)
            (local.get $packedA))))
      (local.set $n (i32.const 0))
      (loop $nextN
        (local.set $columns (i32.sub (local.get $N) (local.get $n)))
        (if (i32.gt_u (local.get $columns) (i32.const 8)) (then (local.set $columns (i32.const 8))))
        (local.set $at
          (i32.add (local.get $b)
            (i32.add (i32.mul (local.get $k0) (local.get $bStep)) (i32.mul (local.get $n) (local.get $bColumn)))))
        (if (i32.and (local.get $isFlatB) (i32.eq (local.get $columns) (i32.const 8)))
          (then
            (local.set $panelB (local.get $at))
            (local.set $stepB (local.get $bStep)))
          (else
            (local.set $panelB (local.get $packedB))
            (local.set $stepB (i32.const 32))
            (call $pack (local.get $at) (local.get $bColumn) (local.get $bStep) (local.get $columns) (local.get $k)
              (i32.const 8) (local.get $panelB))))
        (local.set $m (i32.const 0))
        (local.set $panelA (select (local.get $a) (local.get $packedA) (local.get $isFlatA)))
        (local.set $stepA (select (local.get $aStep) (i32.const 16) (local.get $isFlatA)))
        (loop $nextM
          (local.set $rows (i32.sub (local.get $M) (local.get $m)))
          (if (i32.lt_u (local.get $rows) (i32.const 4))
            (then
              (if (local.get $isFlatA)
                (then
                  (local.set $panelA (local.get $packedA))
                  (local.set $stepA (i32.const 16)))))
            (else (local.set $rows (i32.const 4))))
          (local.set $at (i32.add (local.get $c)
            (i32.add (i32.mul (local.get $m) (local.get $ldc)) (i32.shl (local.get $n) (i32.const 2)))))
          (if (i32.and (i32.eq (local.get $rows) (i32.const 4)) (i32.eq (local.get $columns) (i32.const 8)))
            (then
              (call $micro (local.get $k) (local.get $panelA) (local.get $stepA) (local.get $panelB) (local.get $stepB)
                (local.get $at) (local.get $ldc) (local.get $k0)))
            (else
              (call $micro (local.get $k) (local.get $panelA) (local.get $stepA) (local.get $panelB) (local.get $stepB)
                (local.get $scratch) (i32.const 32) (i32.const 0))
              (call $copyTile (local.get $scratch) (local.get $at) (local.get $ldc) (local.get $rows)
                (local.get $columns) (local.get $k0))))
          (local.set $panelA
            (i32.add (local.get $panelA)
              (select (i32.const 16) (i32.shl (local.get $k) (i32.const 4)) (local.get $isFlatA))))
          (local.set $m (i32.add (local.get $m) (i32.const 4)))
          (br_if $nextM (i32.lt_u (local.get $m) (local.get $M))))
        (local.set $n (i32.add (local.get $n) (i32.const 8)))
        (br_if $nextN (i32.lt_u (local.get $n) (local.get $N))))
      (local.set $k0 (i32.add (local.get $k0) (local.get $k)))
      (br_if $block (i32.lt_u (local.get $k0) (local.get $K))))))
