;; philox.wat: joined into other modules: Philox 4x32-10, four blocks at a time; the same bits as lib/random.ts.
;;
;; Method     lane i works on the block of number `block` + i. A 64-bit product of two lanes is one instruction; its
;;            low and high words are sorted by shuffles. At the end the lanes are transposed, so that the 16 words lie
;;            in the order of the elements.
;; Source     Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011

  ;; Stores the 16 words of four blocks, whose elements are 4 · block and the 15 behind it. `state` is the address of a
  ;; generator's state: key low, key high, step.
  (func $drawBlocks (param $block i32) (param $state i32) (param $stream i32) (param $use i32) (param $to i32)
    (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128) (local $key0 v128) (local $key1 v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $round i32)
    (local.set $c0 (i32x4.add (i32x4.splat (local.get $block)) (v128.const i32x4 0 1 2 3)))
    (local.set $c1 (v128.load32_splat offset=8 (local.get $state)))
    (local.set $c2 (i32x4.splat (local.get $stream)))
    (local.set $c3 (i32x4.splat (local.get $use)))
    (local.set $key0 (v128.load32_splat (local.get $state)))
    (local.set $key1 (v128.load32_splat offset=4 (local.get $state)))
    (local.set $round (i32.const 10))
    (loop $next
      (local.set $a (i64x2.extmul_low_i32x4_u (local.get $c0) (i32x4.splat (i32.const 0xd2511f53))))
      (local.set $b (i64x2.extmul_high_i32x4_u (local.get $c0) (i32x4.splat (i32.const 0xd2511f53))))
      (local.set $c (i64x2.extmul_low_i32x4_u (local.get $c2) (i32x4.splat (i32.const 0xcd9e8d57))))
      (local.set $d (i64x2.extmul_high_i32x4_u (local.get $c2) (i32x4.splat (i32.const 0xcd9e8d57))))
      (local.set $c0
        (v128.xor
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $c) (local.get $d))
          (v128.xor (local.get $c1) (local.get $key0))))
      (local.set $c2
        (v128.xor
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $a) (local.get $b))
          (v128.xor (local.get $c3) (local.get $key1))))
      (local.set $c1 (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $c) (local.get $d)))
      (local.set $c3 (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $a) (local.get $b)))
      (local.set $key0 (i32x4.add (local.get $key0) (i32x4.splat (i32.const 0x9e3779b9))))
      (local.set $key1 (i32x4.add (local.get $key1) (i32x4.splat (i32.const 0xbb67ae85))))
      (br_if $next (local.tee $round (i32.sub (local.get $round) (i32.const 1)))))
    ;; Pairs of words of blocks 0, 1 and of blocks 2, 3; then each block's four words.
    (local.set $a (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c0) (local.get $c1)))
    (local.set $b (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c2) (local.get $c3)))
    (local.set $c (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c0) (local.get $c1)))
    (local.set $d (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c2) (local.get $c3)))
    (v128.store (local.get $to)
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $b)))
    (v128.store offset=16 (local.get $to)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $b)))
    (v128.store offset=32 (local.get $to)
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $c) (local.get $d)))
    (v128.store offset=48 (local.get $to)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $c) (local.get $d))))
