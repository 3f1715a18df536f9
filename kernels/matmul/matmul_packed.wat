;; matmul_packed.wat: C = A · B for the CPU device by packed panels, WebAssembly SIMD.
;;
;; Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32, for a block of C: A, B and C are pointers to where the block begins.
;;             Strides are in bytes: `aRow` and `aStep` from a row and from a k of A to the next, `bStep` and `bColumn`
;;             likewise of B, so that both may be transposed; rows of C are `ldc` apart, its columns 4. K >= 1
;; Blocks      the k axis goes in blocks of 256. Of each block, A is packed into panels of 4 rows ([k][4]), and B, one
;;             after the other, into panels of 8 columns ([k][8]), so that the inner loop reads both in order (micro.wat).
;;             Where columns of B lie side by side, four panels at once: a k of one is half a line of the cache, and the
;;             lines of 256 k, as far apart as rows of B are, would be gone before the next panel asks for their other half
;; Cache       a B panel of a block is 256 · 8 · 4 B = 8 KiB and stays in the first-level cache while all A panels (4 KiB
;;             each) pass by it; with 128 rows of A these are 128 KiB, in the second level
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    the sum of a block is formed on its own and added once, so that rounding errors grow with √256 + √(K/256),
;;             not with √K
;; Edges       panels are filled up with 0; a block of C at the edge is computed into a tile and copied
;; Scratch     128 B of tile, 32 KiB of B panels, 1 KiB for each row of A rounded up to 4
;; Source      Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication"
;; Reference   lib/ops/matmul/matmul.ts
(module
  (import "env" "memory" (memory 1))

  ;; join matmul/pack.wat
  ;; join matmul/micro.wat

  ;; Packs 32 columns that lie side by side into four panels [k][8], whole lines of the cache at a time.
  (func $packFourPanels (param $b i32) (param $bStep i32) (param $k i32) (param $to i32)
    (local $p1 i32) (local $p2 i32) (local $p3 i32) (local $bytes i32)
    (local.set $bytes (i32.shl (local.get $k) (i32.const 5)))
    (local.set $p1 (i32.add (local.get $to) (local.get $bytes)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $bytes)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $bytes)))
    (loop $next
      (v128.store (local.get $to) (v128.load (local.get $b)))
      (v128.store offset=16 (local.get $to) (v128.load offset=16 (local.get $b)))
      (v128.store (local.get $p1) (v128.load offset=32 (local.get $b)))
      (v128.store offset=16 (local.get $p1) (v128.load offset=48 (local.get $b)))
      (v128.store (local.get $p2) (v128.load offset=64 (local.get $b)))
      (v128.store offset=16 (local.get $p2) (v128.load offset=80 (local.get $b)))
      (v128.store (local.get $p3) (v128.load offset=96 (local.get $b)))
      (v128.store offset=16 (local.get $p3) (v128.load offset=112 (local.get $b)))
      (local.set $b (i32.add (local.get $b) (local.get $bStep)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (local.set $p1 (i32.add (local.get $p1) (i32.const 32)))
      (local.set $p2 (i32.add (local.get $p2) (i32.const 32)))
      (local.set $p3 (i32.add (local.get $p3) (i32.const 32)))
      (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))

  (func (export "packed")
    (param $a i32) (param $aRow i32) (param $aStep i32)
    (param $b i32) (param $bStep i32) (param $bColumn i32)
    (param $c i32) (param $ldc i32) (param $M i32) (param $N i32) (param $K i32) (param $scratch i32)
    (local $k0 i32) (local $k i32) (local $m i32) (local $n i32) (local $rows i32) (local $columns i32) (local $at i32)
    (local $packedA i32) (local $packedB i32) (local $panelA i32) (local $panelB i32) (local $ahead i32)
    (local.set $packedB (i32.add (local.get $scratch) (i32.const 128)))
    (local.set $packedA (i32.add (local.get $packedB) (i32.const 32768)))
    (loop $block
      (local.set $k (i32.sub (local.get $K) (local.get $k0)))
      (if (i32.gt_u (local.get $k) (i32.const 256)) (then (local.set $k (i32.const 256))))
      (call $pack (i32.add (local.get $a) (i32.mul (local.get $k0) (local.get $aStep)))
        (local.get $aRow) (local.get $aStep) (local.get $M) (local.get $k) (i32.const 4) (local.get $packedA))
      (local.set $n (i32.const 0))
      (loop $nextN
        (local.set $columns (i32.sub (local.get $N) (local.get $n)))
        (if (i32.gt_u (local.get $columns) (i32.const 8)) (then (local.set $columns (i32.const 8))))
        (if (local.get $ahead)
          (then (local.set $panelB (i32.add (local.get $panelB) (i32.shl (local.get $k) (i32.const 5)))))
          (else
            (local.set $panelB (local.get $packedB))
            (local.set $at
              (i32.add (local.get $b)
                (i32.add (i32.mul (local.get $k0) (local.get $bStep)) (i32.mul (local.get $n) (local.get $bColumn)))))
            (if (i32.and (i32.eq (local.get $bColumn) (i32.const 4))
                  (i32.ge_u (i32.sub (local.get $N) (local.get $n)) (i32.const 32)))
              (then
                (call $packFourPanels (local.get $at) (local.get $bStep) (local.get $k) (local.get $panelB))
                (local.set $ahead (i32.const 4)))
              (else
                (call $pack (local.get $at) (local.get $bColumn) (local.get $bStep) (local.get $columns) (local.get $k)
                  (i32.const 8) (local.get $panelB))
                (local.set $ahead (i32.const 1))))))
        (local.set $ahead (i32.sub (local.get $ahead) (i32.const 1)))
        (local.set $m (i32.const 0))
        (local.set $panelA (local.get $packedA))
        (loop $nextM
          (local.set $rows (i32.sub (local.get $M) (local.get $m)))
          (if (i32.gt_u (local.get $rows) (i32.const 4)) (then (local.set $rows (i32.const 4))))
          (local.set $at (i32.add (local.get $c)
            (i32.add (i32.mul (local.get $m) (local.get $ldc)) (i32.shl (local.get $n) (i32.const 2)))))
          (call $microEdge (local.get $k) (local.get $panelA) (local.get $panelB) (i32.const 32)
            (local.get $at) (local.get $ldc) (local.get $rows) (local.get $columns) (local.get $scratch) (local.get $k0))
          (local.set $panelA (i32.add (local.get $panelA) (i32.shl (local.get $k) (i32.const 4))))
          (local.set $m (i32.add (local.get $m) (i32.const 4)))
          (br_if $nextM (i32.lt_u (local.get $m) (local.get $M))))
        (local.set $n (i32.add (local.get $n) (i32.const 8)))
        (br_if $nextN (i32.lt_u (local.get $n) (local.get $N))))
      (local.set $k0 (i32.add (local.get $k0) (local.get $k)))
      (br_if $block (i32.lt_u (local.get $k0) (local.get $K))))))
