;; matmul_outer.wat: C = A · B for the CPU device where k are few and B runs along n, WebAssembly SIMD: the gradient of a
;; weight, a sum of as many outer products as the batch has examples.
;;
;; Computes    c[m, n] = Σ_k a[m, k] · b[k, n], f32, for a block of C, added to what is there where `accumulate`: A, B and C
;;             are pointers to where the block begins. `aRow` and `aStep` are the bytes from a row and from a k of A to the
;;             next, `bStep` those from a k of B; rows of C are `ldc` apart. 1 <= K <= 32
;; Technique   B is read as it lies: packing it would take a large part of the time. 48 columns of it, 6 KiB at most, stay
;;             in the first-level cache while all rows of A pass by, four at a time out of a packed panel (micro.wat)
;; Zeros       what comes back through ReLU and dropout is 0 in most places. Where 3/8 of four rows of A or more are, each of
;;             them is a list of what is not, and `combine` adds up only that: 12 sums of 4 lanes, and for each entry 2 + 12
;;             loads and 12 multiply-adds: 10 cycles for 96 flop, where `micro` takes 6.8. The gradient of MyNet's first
;;             layer, of whose A a quarter is not 0, takes 0.42 of the time, with a half 0.75. The result is equal: to add
;;             0 · b changes no sum, unless b is not finite. That is looked for in each 48 columns, which takes as long as 2
;;             rows of 8 entries, and fetches the columns from the second level; where it is found, nothing is left out
;; Very few k  up to 4, lists serve without zeros as well: their 12 stores run along C, and what a call takes is shared by
;;             192 elements, not by 32. One k takes half the time, four 0.75
;; Relaxed     a multiplication and an addition of locals are one f32x4.relaxed_madd in the second module made of this
;; Edges       columns behind the last 48 are packed in panels of 8, filled up with 0; a block of C at the edge is computed
;;             into a tile and copied
;; Scratch     128 B of tile, 1 KiB of B panel, 16 B of ends of lists for each four rows, and for each row, rounded up to 4,
;;             128 B of panels and 256 B of lists
;; Reference   lib/ops/matmul/matmul.ts
(module
  (import "env" "memory" (memory 1))

  ;; join matmul/pack.wat
  ;; join matmul/micro.wat

  ;; Lists what is not 0 in the first `rows` of a panel [k][4]: for each row, `k` · 8 bytes apart, pairs of bytes from the
  ;; first k of B, and the element. Where the lists end goes to `ends`, 4 B a row. If more than 5/8 are not 0
  ;; and k more than 4, the first end is 0 instead.
  (func $list (param $panel i32) (param $k i32) (param $bStep i32) (param $rows i32) (param $lists i32) (param $ends i32)
              (result i32)
    (local $x v128) (local $isOther v128) (local $pitch i32) (local $offset i32) (local $left i32)
    (local $e0 i32) (local $e1 i32) (local $e2 i32) (local $e3 i32)
    (local.set $pitch (i32.shl (local.get $k) (i32.const 3)))
    (local.set $e0 (local.get $lists))
    (local.set $e1 (i32.add (local.get $e0) (local.get $pitch)))
    (local.set $e2 (i32.add (local.get $e1) (local.get $pitch)))
    (local.set $e3 (i32.add (local.get $e2) (local.get $pitch)))
    (local.set $left (local.get $k))
    ;; An entry is written in any case, and stays where its element is not 0.
    (loop $next
      (local.set $x (v128.load (local.get $panel)))
      (local.set $isOther (f32x4.ne (local.get $x) (v128.const f32x4 0 0 0 0)))
      (i32.store (local.get $e0) (local.get $offset))
      (i32.store (local.get $e1) (local.get $offset))
      (i32.store (local.get $e2) (local.get $offset))
      (i32.store (local.get $e3) (local.get $offset))
      (v128.store32_lane offset=4 0 (local.get $e0) (local.get $x))
      (v128.store32_lane offset=4 1 (local.get $e1) (local.get $x))
      (v128.store32_lane offset=4 2 (local.get $e2) (local.get $x))
      (v128.store32_lane offset=4 3 (local.get $e3) (local.get $x))
      (local.set $e0 (i32.sub (local.get $e0) (i32.shl (i32x4.extract_lane 0 (local.get $isOther)) (i32.const 3))))
      (local.set $e1 (i32.sub (local.get $e1) (i32.shl (i32x4.extract_lane 1 (local.get $isOther)) (i32.const 3))))
      (local.set $e2 (i32.sub (local.get $e2) (i32.shl (i32x4.extract_lane 2 (local.get $isOther)) (i32.const 3))))
      (local.set $e3 (i32.sub (local.get $e3) (i32.shl (i32x4.extract_lane 3 (local.get $isOther)) (i32.const 3))))
      (local.set $panel (i32.add (local.get $panel) (i32.const 16)))
      (local.set $offset (i32.add (local.get $offset) (local.get $bStep)))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.store (local.get $ends) (local.get $e0))
    (i32.store offset=4 (local.get $ends) (local.get $e1))
    (i32.store offset=8 (local.get $ends) (local.get $e2))
    (i32.store offset=12 (local.get $ends) (local.get $e3))
    ;; Sum of the lengths, in bytes, against 5/8 of rows · pitch.
    (local.set $e0
      (i32.sub
        (i32.add (i32.add (local.get $e0) (local.get $e1)) (i32.add (local.get $e2) (local.get $e3)))
        (i32.add (i32.shl (local.get $lists) (i32.const 2)) (i32.mul (local.get $pitch) (i32.const 6)))))
    (local.set $e0
      (i32.or
        (i32.le_u (local.get $pitch) (i32.const 32))
        (i32.le_u (i32.shl (local.get $e0) (i32.const 3))
          (i32.mul (i32.mul (local.get $rows) (local.get $pitch)) (i32.const 5)))))
    (if (i32.eqz (local.get $e0)) (then (i32.store (local.get $ends) (i32.const 0))))
    (local.get $e0))

  ;; Whether all of b[k][48] are finite: x · 0 is NaN where x is not.
  (func $areFinite (param $b i32) (param $bStep i32) (param $k i32) (result i32)
    (local $x v128) (local $zero v128) (local $sum v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)
    (local $sum4 v128) (local $sum5 v128) (local $sum6 v128) (local $sum7 v128)
    (local $sum8 v128) (local $sum9 v128) (local $sum10 v128) (local $sum11 v128)
    (loop $next
      ;; rows
      ;;   0   offset=0
      ;;   1   offset=16
      ;;   2   offset=32
      ;;   3   offset=48
      ;;   4   offset=64
      ;;   5   offset=80
      ;;   6   offset=96
      ;;   7   offset=112
      ;;   8   offset=128
      ;;   9   offset=144
      ;;   10  offset=160
      ;;   11  offset=176

      ;; for each row
      (local.set $x (v128.load VALUE (local.get $b)))
      (local.set $sumNAME (f32x4.add (f32x4.mul (local.get $x) (local.get $zero)) (local.get $sumNAME)))
      ;; end
      (local.set $b (i32.add (local.get $b) (local.get $bStep)))
      (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
    ;; rows
    ;;   0   offset=0
    ;;   1   offset=16
    ;;   2   offset=32
    ;;   3   offset=48
    ;;   4   offset=64
    ;;   5   offset=80
    ;;   6   offset=96
    ;;   7   offset=112
    ;;   8   offset=128
    ;;   9   offset=144
    ;;   10  offset=160
    ;;   11  offset=176

    ;; for each row
    (local.set $sum (f32x4.add (local.get $sum) (local.get $sumNAME)))
    ;; end
    (i32x4.all_true (f32x4.eq (local.get $sum) (local.get $zero))))

  ;; c[rows][48] = Σ element · b[k][48], for each row over its list, which is `pitch` bytes behind the one before.
  (func $combine (param $lists i32) (param $pitch i32) (param $ends i32) (param $rows i32) (param $b i32)
                 (param $c i32) (param $ldc i32) (param $accumulate i32)
    (local $x v128) (local $y v128) (local $z v128) (local $list i32) (local $end i32) (local $at i32)
    (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128)
    (local $c4 v128) (local $c5 v128) (local $c6 v128) (local $c7 v128)
    (local $c8 v128) (local $c9 v128) (local $c10 v128) (local $c11 v128)
    (loop $nextRow
      (local.set $list (local.get $lists))
      (local.set $end (i32.load (local.get $ends)))
      (if (local.get $accumulate)
        (then
          ;; rows
          ;;   0   offset=0
          ;;   1   offset=16
          ;;   2   offset=32
          ;;   3   offset=48
          ;;   4   offset=64
          ;;   5   offset=80
          ;;   6   offset=96
          ;;   7   offset=112
          ;;   8   offset=128
          ;;   9   offset=144
          ;;   10  offset=160
          ;;   11  offset=176

          ;; for each row
          (local.set $cNAME (v128.load VALUE (local.get $c)))
          ;; end
        )
        (else
          ;; rows
          ;;   0   offset=0
          ;;   1   offset=16
          ;;   2   offset=32
          ;;   3   offset=48
          ;;   4   offset=64
          ;;   5   offset=80
          ;;   6   offset=96
          ;;   7   offset=112
          ;;   8   offset=128
          ;;   9   offset=144
          ;;   10  offset=160
          ;;   11  offset=176

          ;; for each row
          (local.set $cNAME (v128.const f32x4 0 0 0 0))
          ;; end
        ))
      (block $done
        (loop $next
          (br_if $done (i32.eq (local.get $list) (local.get $end)))
          (local.set $at (i32.add (local.get $b) (i32.load (local.get $list))))
          (local.set $x (v128.load32_splat offset=4 (local.get $list)))
          ;; Two at a time: the branches are never taken. Without them V8 may move all loads to the front, and spill: twice the
          ;; time.
          (local.set $y (v128.load offset=0 (local.get $at)))
          (local.set $z (v128.load offset=16 (local.get $at)))
          (local.set $c0 (f32x4.add (f32x4.mul (local.get $x) (local.get $y)) (local.get $c0)))
          (local.set $c1 (f32x4.add (f32x4.mul (local.get $x) (local.get $z)) (local.get $c1)))
          (br_if $done (i32.eq (local.get $list) (i32.const 0)))
          (local.set $y (v128.load offset=32 (local.get $at)))
          (local.set $z (v128.load offset=48 (local.get $at)))
          (local.set $c2 (f32x4.add (f32x4.mul (local.get $x) (local.get $y)) (local.get $c2)))
          (local.set $c3 (f32x4.add (f32x4.mul (local.get $x) (local.get $z)) (local.get $c3)))
          (br_if $done (i32.eq (local.get $list) (i32.const 1)))
          (local.set $y (v128.load offset=64 (local.get $at)))
          (local.set $z (v128.load offset=80 (local.get $at)))
          (local.set $c4 (f32x4.add (f32x4.mul (local.get $x) (local.get $y)) (local.get $c4)))
          (local.set $c5 (f32x4.add (f32x4.mul (local.get $x) (local.get $z)) (local.get $c5)))
          (br_if $done (i32.eq (local.get $list) (i32.const 2)))
          (local.set $y (v128.load offset=96 (local.get $at)))
          (local.set $z (v128.load offset=112 (local.get $at)))
          (local.set $c6 (f32x4.add (f32x4.mul (local.get $x) (local.get $y)) (local.get $c6)))
          (local.set $c7 (f32x4.add (f32x4.mul (local.get $x) (local.get $z)) (local.get $c7)))
          (br_if $done (i32.eq (local.get $list) (i32.const 3)))
          (local.set $y (v128.load offset=128 (local.get $at)))
          (local.set $z (v128.load offset=144 (local.get $at)))
          (local.set $c8 (f32x4.add (f32x4.mul (local.get $x) (local.get $y)) (local.get $c8)))
          (local.set $c9 (f32x4.add (f32x4.mul (local.get $x) (local.get $z)) (local.get $c9)))
          (br_if $done (i32.eq (local.get $list) (i32.const 4)))
          (local.set $y (v128.load offset=160 (local.get $at)))
          (local.set $z (v128.load offset=176 (local.get $at)))
          (local.set $c10 (f32x4.add (f32x4.mul (local.get $x) (local.get $y)) (local.get $c10)))
          (local.set $c11 (f32x4.add (f32x4.mul (local.get $x) (local.get $z)) (local.get $c11)))
          (local.set $list (i32.add (local.get $list) (i32.const 8)))
          (br $next)))
      ;; rows
      ;;   0   offset=0
      ;;   1   offset=16
      ;;   2   offset=32
      ;;   3   offset=48
      ;;   4   offset=64
      ;;   5   offset=80
      ;;   6   offset=96
      ;;   7   offset=112
      ;;   8   offset=128
      ;;   9   offset=144
      ;;   10  offset=160
      ;;   11  offset=176

      ;; for each row
      (v128.store VALUE (local.get $c) (local.get $cNAME))
      ;; end
      (local.set $lists (i32.add (local.get $lists) (local.get $pitch)))
      (local.set $ends (i32.add (local.get $ends) (i32.const 4)))
      (local.set $c (i32.add (local.get $c) (local.get $ldc)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  (func (export "outer")
    (param $a i32) (param $aRow i32) (param $aStep i32) (param $b i32) (param $bStep i32)
    (param $c i32) (param $ldc i32) (param $M i32) (param $N i32) (param $K i32) (param $accumulate i32) (param $scratch i32)
    (local $m i32) (local $rows i32) (local $columns i32) (local $at i32) (local $row i32)
    (local $panels i32) (local $lists i32) (local $ends i32) (local $packedB i32)
    (local $panel i32) (local $list i32) (local $end i32) (local $isSparse i32) (local $hasLists i32) (local $quadBytes i32)
    (local.set $packedB (i32.add (local.get $scratch) (i32.const 128)))
    (local.set $ends (i32.add (local.get $packedB) (i32.const 1024)))
    (local.set $panels (i32.add (local.get $ends) 
      (i32.and (i32.add (i32.shl (local.get $M) (i32.const 2)) (i32.const 63)) (i32.const -64))))
    (local.set $quadBytes (i32.shl (local.get $K) (i32.const 4)))
    (local.set $lists
      (i32.add (local.get $panels)
        (i32.mul (i32.shr_u (i32.add (local.get $M) (i32.const 3)) (i32.const 2)) (local.get $quadBytes))))
    (call $pack (local.get $a) (local.get $aRow) (local.get $aStep) (local.get $M) (local.get $K) (i32.const 4)
      (local.get $panels))
    (local.set $m (i32.const 0))
    (local.set $panel (local.get $panels))
    (local.set $list (local.get $lists))
    (local.set $end (local.get $ends))
    (loop $next
      (local.set $rows (i32.sub (local.get $M) (local.get $m)))
      (if (i32.gt_u (local.get $rows) (i32.const 4)) (then (local.set $rows (i32.const 4))))
      (local.set $hasLists
        (i32.or (local.get $hasLists)
          (call $list (local.get $panel) (local.get $K) (local.get $bStep) (local.get $rows) (local.get $list)
            (local.get $end))))
      (local.set $panel (i32.add (local.get $panel) (local.get $quadBytes)))
      (local.set $list (i32.add (local.get $list) (i32.shl (local.get $quadBytes) (i32.const 1))))
      (local.set $end (i32.add (local.get $end) (i32.const 16)))
      (br_if $next (i32.lt_u (local.tee $m (i32.add (local.get $m) (i32.const 4))) (local.get $M))))
    (loop $nextColumns
      (local.set $columns (i32.const 8))
      (local.set $isSparse (i32.const 0))
      (if (i32.ge_u (local.get $N) (i32.const 48))
        (then
          (local.set $columns (i32.const 48))
          (if (local.get $hasLists)
            (then (local.set $isSparse (call $areFinite (local.get $b) (local.get $bStep) (local.get $K))))))
        (else
          (if (i32.lt_u (local.get $N) (i32.const 8)) (then (local.set $columns (local.get $N))))
          (call $pack (local.get $b) (i32.const 4) (local.get $bStep) (local.get $columns) (local.get $K) (i32.const 8)
            (local.get $packedB))))
      (local.set $m (i32.const 0))
      (local.set $at (local.get $c))
      (local.set $panel (local.get $panels))
      (local.set $list (local.get $lists))
      (local.set $end (local.get $ends))
      (loop $nextM
        (local.set $rows (i32.sub (local.get $M) (local.get $m)))
        (if (i32.gt_u (local.get $rows) (i32.const 4)) (then (local.set $rows (i32.const 4))))
        (if (i32.lt_u (local.get $columns) (i32.const 48))
          (then
            (call $microEdge (local.get $K) (local.get $panel) (local.get $packedB) (i32.const 32)
              (local.get $at) (local.get $ldc) (local.get $rows) (local.get $columns) (local.get $scratch)
              (local.get $accumulate)))
          (else
            (if (i32.and (local.get $isSparse) (i32.ne (i32.load (local.get $end)) (i32.const 0)))
              (then
                (call $combine (local.get $list) (i32.shl (local.get $K) (i32.const 3)) (local.get $end) (local.get $rows)
                  (local.get $b) (local.get $at) (local.get $ldc) (local.get $accumulate)))
              (else
                (local.set $row (i32.const 0))
                (loop $nextPart
                  (if (i32.eq (local.get $rows) (i32.const 4))
                    (then
                      (call $micro (local.get $K) (local.get $panel) (i32.add (local.get $b) (local.get $row))
                        (local.get $bStep) (i32.add (local.get $at) (local.get $row)) (local.get $ldc) (local.get $accumulate)))
                    (else
                      (call $microEdge (local.get $K) (local.get $panel) (i32.add (local.get $b) (local.get $row))
                        (local.get $bStep) (i32.add (local.get $at) (local.get $row)) (local.get $ldc) (local.get $rows)
                        (i32.const 8) (local.get $scratch) (local.get $accumulate))))
                  (br_if $nextPart
                    (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 32))) (i32.const 192))))))))
        (local.set $at (i32.add (local.get $at) (i32.shl (local.get $ldc) (i32.const 2))))
        (local.set $panel (i32.add (local.get $panel) (local.get $quadBytes)))
        (local.set $list (i32.add (local.get $list) (i32.shl (local.get $quadBytes) (i32.const 1))))
        (local.set $end (i32.add (local.get $end) (i32.const 16)))
        (br_if $nextM (i32.lt_u (local.tee $m (i32.add (local.get $m) (i32.const 4))) (local.get $M))))
      (local.set $b (i32.add (local.get $b) (i32.shl (local.get $columns) (i32.const 2))))
      (local.set $c (i32.add (local.get $c) (i32.shl (local.get $columns) (i32.const 2))))
      (br_if $nextColumns (local.tee $N (i32.sub (local.get $N) (local.get $columns)))))))
