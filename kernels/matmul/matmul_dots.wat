;; matmul_dots.wat: C = A · B for the CPU device where A and B both run along k, WebAssembly SIMD.
;;
;; Computes    c[q, p] = Σ_k many[q, k] · few[p, k], f32, for a block of C, whose lines are rows of A and columns of B: `many`
;;             are those of which there are more, `few` the others. Lines are `manyLine` and `fewLine` bytes apart, k lie
;;             side by side. In C it is `cMany` bytes to the next line of many and `cFew` to that of few: one of them is 4.
;;             K >= 1
;; Technique   nothing is packed: 4 lines of many by 2 of few, 8 sums of products in registers, whose 4 lanes are added
;;             at the end. A step of 4 k: 6 loads and 8 multiply-adds of 4 lanes, 64 flop for 96 B: 3 cycles of loads and 4
;;             of multiply-adds, where there are two of both a cycle; four such steps a turn, since counting, six addresses and
;;             V8's look at the stack take as long as half a step. With one line of few, a matrix times a vector, memory
;;             bounds it: 2 flop for the 4 B of an element of the matrix, which is as fast as it comes.
;; Cache       four lines of 1024 k are 16 KiB, which stay in the first-level cache while all lines of few pass by, from the
;;             second level: 8 KiB for each 65,536 flop. 64 lines of few are 256 KiB
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Accuracy    blocks of 1024 k, 256 in each of 4 lanes, are added: rounding errors grow with √256 + √(K/1024), not √K
;; Edges       lines that do not exist repeat another one and are not stored
;; Reference   lib/ops/matmul/matmul.ts
(module
  (import "env" "memory" (memory 1))

  ;; join common/common.wat

  ;; The sums of products of four lines with two, all of which run along memory, over k; into the first `many` and `few` of
  ;; c[4][2]. Lines that do not exist repeat others.
  (func $dots (param $a0 i32) (param $a1 i32) (param $a2 i32) (param $a3 i32) (param $b0 i32) (param $b1 i32) (param $k i32)
              (param $c i32) (param $cMany i32) (param $cFew i32) (param $many i32) (param $few i32) (param $accumulate i32)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local $x v128) (local $y0 v128) (local $y1 v128) (local $quads i32)
    ;; K mod 4 elements first, in lane 0.
    (local.set $quads (i32.shr_u (local.get $k) (i32.const 2)))
    (local.set $k (i32.and (local.get $k) (i32.const 3)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $k)))
        (local.set $y0 (v128.load32_zero (local.get $b0)))
        (local.set $y1 (v128.load32_zero (local.get $b1)))
        (local.set $x (v128.load32_zero (local.get $a0)))
        (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c00)))
        (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c01)))
        (local.set $x (v128.load32_zero (local.get $a1)))
        (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c10)))
        (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c11)))
        (local.set $x (v128.load32_zero (local.get $a2)))
        (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c20)))
        (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c21)))
        (local.set $x (v128.load32_zero (local.get $a3)))
        (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c30)))
        (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c31)))
        (local.set $a0 (i32.add (local.get $a0) (i32.const 4)))
        (local.set $a1 (i32.add (local.get $a1) (i32.const 4)))
        (local.set $a2 (i32.add (local.get $a2) (i32.const 4)))
        (local.set $a3 (i32.add (local.get $a3) (i32.const 4)))
        (local.set $b0 (i32.add (local.get $b0) (i32.const 4)))
        (local.set $b1 (i32.add (local.get $b1) (i32.const 4)))
        (local.set $k (i32.sub (local.get $k) (i32.const 1)))
        (br $next)))
    (block $done
      (br_if $done (i32.eqz (local.get $quads)))
      (loop $next
      ;; rows
      ;;   0   (i32.eq (local.get $quads) (i32.const 1))
      ;;   16  (i32.eq (local.get $quads) (i32.const 2))
      ;;   32  (i32.eq (local.get $quads) (i32.const 3))
      ;;   48  (i32.eq (local.get $quads) (i32.const 4))

      ;; for each row
        (local.set $y0 (v128.load offset=NAME (local.get $b0)))
        (local.set $y1 (v128.load offset=NAME (local.get $b1)))
        (local.set $x (v128.load offset=NAME (local.get $a0)))
        (local.set $c00 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c00)))
        (local.set $c01 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c01)))
        (local.set $x (v128.load offset=NAME (local.get $a1)))
        (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c10)))
        (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c11)))
        (local.set $x (v128.load offset=NAME (local.get $a2)))
        (local.set $c20 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c20)))
        (local.set $c21 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c21)))
        (local.set $x (v128.load offset=NAME (local.get $a3)))
        (local.set $c30 (f32x4.add (f32x4.mul (local.get $x) (local.get $y0)) (local.get $c30)))
        (local.set $c31 (f32x4.add (f32x4.mul (local.get $x) (local.get $y1)) (local.get $c31)))
        (br_if $done VALUE)
      ;; end
        (local.set $a0 (i32.add (local.get $a0) (i32.const 64)))
        (local.set $a1 (i32.add (local.get $a1) (i32.const 64)))
        (local.set $a2 (i32.add (local.get $a2) (i32.const 64)))
        (local.set $a3 (i32.add (local.get $a3) (i32.const 64)))
        (local.set $b0 (i32.add (local.get $b0) (i32.const 64)))
        (local.set $b1 (i32.add (local.get $b1) (i32.const 64)))
        (local.set $quads (i32.sub (local.get $quads) (i32.const 4)))
        (br $next)))
    (call $storeFour (local.get $c) (local.get $cMany) (local.get $many) (local.get $accumulate)
      (call $sumLanes (local.get $c00) (local.get $c10) (local.get $c20) (local.get $c30)))
    (if (i32.eq (local.get $few) (i32.const 1)) (then (return)))
    (call $storeFour (i32.add (local.get $c) (local.get $cFew)) (local.get $cMany) (local.get $many) (local.get $accumulate)
      (call $sumLanes (local.get $c01) (local.get $c11) (local.get $c21) (local.get $c31))))

  ;; The sum of the lanes of each.
  (func $sumLanes (param $s0 v128) (param $s1 v128) (param $s2 v128) (param $s3 v128) (result v128)
    ;; s0.0 s1.0 s0.1 s1.1 + s0.2 s1.2 s0.3 s1.3
    (local.set $s0
      (f32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $s0) (local.get $s1))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $s0) (local.get $s1))))
    (local.set $s2
      (f32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $s2) (local.get $s3))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $s2) (local.get $s3))))
    (f32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $s0) (local.get $s2))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $s0) (local.get $s2))))

  ;; The first `count` of four sums into elements `stride` bytes apart (+ c where `accumulate`).
  (func $storeFour (param $c i32) (param $stride i32) (param $count i32) (param $accumulate i32) (param $sums v128)
    (if (i32.eq (local.get $stride) (i32.const 4))
      (then
        (if (i32.eq (local.get $count) (i32.const 4))
          (then
            (if (local.get $accumulate) (then (local.set $sums (f32x4.add (v128.load (local.get $c)) (local.get $sums)))))
            (v128.store (local.get $c) (local.get $sums)))
          (else
            (if (local.get $accumulate)
              (then
                (local.set $sums
                  (f32x4.add (call $loadSome (local.get $c) (local.get $count) (local.get $sums)) (local.get $sums)))))
            (call $storeSome (local.get $c) (local.get $count) (local.get $sums))))
        (return)))
    (loop $next
      (if (local.get $accumulate)
        (then (local.set $sums (f32x4.add (v128.load32_zero (local.get $c)) (local.get $sums)))))
      (v128.store32_lane 0 (local.get $c) (local.get $sums))
      (local.set $c (i32.add (local.get $c) (local.get $stride)))
      (local.set $sums (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 (local.get $sums) (local.get $sums)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  (func (export "dots")
    (param $many i32) (param $manyLine i32) (param $few i32) (param $fewLine i32)
    (param $c i32) (param $cMany i32) (param $cFew i32) (param $Q i32) (param $P i32) (param $K i32)
    (local $k0 i32) (local $k i32) (local $q i32) (local $p i32) (local $fours i32) (local $pairs i32)
    (local $a0 i32) (local $a1 i32) (local $a2 i32) (local $a3 i32) (local $b0 i32) (local $b1 i32)
    (loop $block
      (local.set $k (i32.sub (local.get $K) (local.get $k0)))
      (if (i32.gt_u (local.get $k) (i32.const 1024)) (then (local.set $k (i32.const 1024))))
      (local.set $q (i32.const 0))
      (loop $nextFour
        (local.set $fours (i32.sub (local.get $Q) (local.get $q)))
        (if (i32.gt_u (local.get $fours) (i32.const 4)) (then (local.set $fours (i32.const 4))))
        (local.set $a0 (i32.add (local.get $many)
          (i32.add (i32.mul (local.get $q) (local.get $manyLine)) (i32.shl (local.get $k0) (i32.const 2)))))
        (local.set $a1 (select (i32.add (local.get $a0) (local.get $manyLine)) (local.get $a0)
          (i32.gt_u (local.get $fours) (i32.const 1))))
        (local.set $a2 (select (i32.add (local.get $a1) (local.get $manyLine)) (local.get $a0)
          (i32.gt_u (local.get $fours) (i32.const 2))))
        (local.set $a3 (select (i32.add (local.get $a2) (local.get $manyLine)) (local.get $a0)
          (i32.gt_u (local.get $fours) (i32.const 3))))
        (local.set $p (i32.const 0))
        (loop $nextPair
          (local.set $pairs (i32.sub (local.get $P) (local.get $p)))
          (local.set $b0 (i32.add (local.get $few)
            (i32.add (i32.mul (local.get $p) (local.get $fewLine)) (i32.shl (local.get $k0) (i32.const 2)))))
          (local.set $b1 (local.get $b0))
          (if (i32.gt_u (local.get $pairs) (i32.const 1))
            (then
              (local.set $pairs (i32.const 2))
              (local.set $b1 (i32.add (local.get $b0) (local.get $fewLine)))))
          (call $dots (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $b0) (local.get $b1)
            (local.get $k)
            (i32.add (local.get $c)
              (i32.add (i32.mul (local.get $q) (local.get $cMany)) (i32.mul (local.get $p) (local.get $cFew))))
            (local.get $cMany) (local.get $cFew) (local.get $fours) (local.get $pairs) (local.get $k0))
          (local.set $p (i32.add (local.get $p) (i32.const 2)))
          (br_if $nextPair (i32.lt_u (local.get $p) (local.get $P))))
        (local.set $q (i32.add (local.get $q) (i32.const 4)))
        (br_if $nextFour (i32.lt_u (local.get $q) (local.get $Q))))
      (local.set $k0 (i32.add (local.get $k0) (local.get $k)))
      (br_if $block (i32.lt_u (local.get $k0) (local.get $K))))))
