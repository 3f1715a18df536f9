;; matmul_row.wat: a row of C = a · B for the CPU device where B runs along n: a vector times a matrix, WebAssembly SIMD.
;;
;; Computes    c[n] = Σ_k a[k] · b[k, n], f32; a, b and c are pointers, `aStep` and `bStep` the bytes from one k to the next.
;;             N a multiple of 4, K >= 1
;; Technique   2048 columns at a time, 8 KiB of c, which stay in the first-level cache while four rows of B at a time are
;;             scaled and added to them: B is read as it lies, once
;; Bound       memory: 2 flop for the 4 B of an element of B
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    blocks of 256 k are summed on their own and added: rounding errors grow with √256 + √(K/256), not √K
;; Scratch     8 KiB, the sums of a block
;; Reference   lib/ops/matmul/matmul.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat

  ;; c[0 .. 4 · quads) += a · b[..]
  (func $addRow (param $a f32) (param $b i32) (param $c i32) (param $quads i32)
    (local $x v128) (local $b0 v128) (local $sum v128)
    (local.set $x (f32x4.splat (local.get $a)))
    (loop $next
      (local.set $b0 (v128.load (local.get $b)))
      (local.set $sum (v128.load (local.get $c)))
      (local.set $sum (f32x4.add (f32x4.mul (local.get $x) (local.get $b0)) (local.get $sum)))
      (v128.store (local.get $c) (local.get $sum))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $c (i32.add (local.get $c) (i32.const 16)))
      (br_if $next (local.tee $quads (i32.sub (local.get $quads) (i32.const 1))))))

  ;; c[0 .. 4 · quads) += Σ a[k] · b[k, ..] over four k
  (func $addFourRows (param $a i32) (param $aStep i32) (param $b i32) (param $bStep i32) (param $c i32) (param $quads i32)
    (local $x0 v128) (local $x1 v128) (local $x2 v128) (local $x3 v128)
    (local $b0 v128) (local $b1 v128) (local $b2 v128) (local $b3 v128) (local $sum v128)
    (local $p1 i32) (local $p2 i32) (local $p3 i32)
    (local.set $x0 (v128.load32_splat (local.get $a)))
    (local.set $a (i32.add (local.get $a) (local.get $aStep)))
    (local.set $x1 (v128.load32_splat (local.get $a)))
    (local.set $a (i32.add (local.get $a) (local.get $aStep)))
    (local.set $x2 (v128.load32_splat (local.get $a)))
    (local.set $a (i32.add (local.get $a) (local.get $aStep)))
    (local.set $x3 (v128.load32_splat (local.get $a)))
    (local.set $p1 (i32.add (local.get $b) (local.get $bStep)))
    (local.set $p2 (i32.add (local.get $p1) (local.get $bStep)))
    (local.set $p3 (i32.add (local.get $p2) (local.get $bStep)))
    (loop $next
      (local.set $b0 (v128.load (local.get $b)))
      (local.set $b1 (v128.load (local.get $p1)))
      (local.set $b2 (v128.load (local.get $p2)))
      (local.set $b3 (v128.load (local.get $p3)))
      (local.set $sum (v128.load (local.get $c)))
      (local.set $sum (f32x4.add (f32x4.mul (local.get $x0) (local.get $b0)) (local.get $sum)))
      (local.set $sum (f32x4.add (f32x4.mul (local.get $x1) (local.get $b1)) (local.get $sum)))
      (local.set $sum (f32x4.add (f32x4.mul (local.get $x2) (local.get $b2)) (local.get $sum)))
      (local.set $sum (f32x4.add (f32x4.mul (local.get $x3) (local.get $b3)) (local.get $sum)))
      (v128.store (local.get $c) (local.get $sum))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $p1 (i32.add (local.get $p1) (i32.const 16)))
      (local.set $p2 (i32.add (local.get $p2) (i32.const 16)))
      (local.set $p3 (i32.add (local.get $p3) (i32.const 16)))
      (local.set $c (i32.add (local.get $c) (i32.const 16)))
      (br_if $next (local.tee $quads (i32.sub (local.get $quads) (i32.const 1))))))

  ;; M = 1, bColumn = 4, N a multiple of 4.
  (func (export "row")
    (param $a i32) (param $aStep i32) (param $b i32) (param $bStep i32) (param $c i32) (param $N i32) (param $K i32)
    (param $scratch i32)
    (local $k0 i32) (local $k i32) (local $quads i32) (local $atA i32) (local $atB i32) (local $sums i32)
    (loop $nextN
      (local.set $quads (i32.shr_u (local.get $N) (i32.const 2)))
      (if (i32.gt_u (local.get $quads) (i32.const 512)) (then (local.set $quads (i32.const 512))))
      (local.set $atA (local.get $a))
      (local.set $atB (local.get $b))
      (local.set $k0 (i32.const 0))
      (loop $block
        (local.set $k (i32.sub (local.get $K) (local.get $k0)))
        (if (i32.gt_u (local.get $k) (i32.const 256)) (then (local.set $k (i32.const 256))))
        (local.set $sums (select (local.get $scratch) (local.get $c) (local.get $k0)))
        (call $fillElements (local.get $sums) (i32.shl (local.get $quads) (i32.const 2)) (v128.const i32x4 0 0 0 0))
        (local.set $k0 (i32.add (local.get $k0) (local.get $k)))
        (loop $next
          (if (i32.ge_u (local.get $k) (i32.const 4))
            (then
              (call $addFourRows (local.get $atA) (local.get $aStep) (local.get $atB) (local.get $bStep)
                (local.get $sums) (local.get $quads))
              (local.set $atA (i32.add (local.get $atA) (i32.shl (local.get $aStep) (i32.const 2))))
              (local.set $atB (i32.add (local.get $atB) (i32.shl (local.get $bStep) (i32.const 2))))
              (local.set $k (i32.sub (local.get $k) (i32.const 4))))
            (else
              (call $addRow (f32.load (local.get $atA)) (local.get $atB) (local.get $sums) (local.get $quads))
              (local.set $atA (i32.add (local.get $atA) (local.get $aStep)))
              (local.set $atB (i32.add (local.get $atB) (local.get $bStep)))
              (local.set $k (i32.sub (local.get $k) (i32.const 1)))))
          (br_if $next (local.get $k)))
        (if (i32.eq (local.get $sums) (local.get $scratch))
          (then (call $addRow (f32.const 1) (local.get $scratch) (local.get $c) (local.get $quads))))
        (br_if $block (i32.lt_u (local.get $k0) (local.get $K))))
      (local.set $b (i32.add (local.get $b) (i32.shl (local.get $quads) (i32.const 4))))
      (local.set $c (i32.add (local.get $c) (i32.shl (local.get $quads) (i32.const 4))))
      (br_if $nextN (local.tee $N (i32.sub (local.get $N) (i32.shl (local.get $quads) (i32.const 2))))))))
