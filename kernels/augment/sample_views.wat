;; sample_views.wat: augmented views of the rows of a table of pictures, for the CPU device, WebAssembly SIMD.
;;
;; Computes    to[v, y, x, :] = the colour of picture rows[v] at H_v · (x, y, 1), between its four pixels around, recoloured:
;;             min(max(gain · colour + offset, low), high); then noise, and a square that is cut out
;; Parameters  table f32 or u8 [R, h, w, C]; rows i32 [V]; views f32 [V, size] (lib/ops/augment/view-record.ts); to; V; R, h, w, C;
;;             H, W: of the views; recordBytes: of a record; plane: bytes from a channel of a view to the next, 0 where they
;;             lie together; flags: 1 pixels lie between those of the picture, 2 what is outside is the nearest pixel, 4 gains,
;;             8 a matrix of three columns, 16 noise, 32 the table is of bytes; cutOut: width of the square; high, low: the
;;             scale of bytes in two parts; stream: of the noise; scratch: 80 B, and a picture of floats for one of bytes
;; Method      four pixels at once find their places, and four channels at once their colours. What lies outside is read
;;             within the picture with weight 0, so that nothing branches. Loads and stores are of four channels where a pixel
;;             has fewer: the next pixel is stored over what is too much, and lines end with what is their own. A load may reach
;;             12 bytes behind the table, for which the heap leaves room
;; Cost        about 3 ns a pixel that is copied, 6 ns one between four others, one thread
;; Reference   lib/ops/augment/sample-views.ts
(module
  (import "env" "memory" (memory 1))
  ;; join common/common.wat
  ;; join common/philox.wat

  ;; join augment/view_covers.wat

  ;; The bytes of a picture as floats: byte · scale, a sum of two products, rounded once (kernels/moving/bytes.wgsl).
  (func $floats (param $from i32) (param $to i32) (param $count i32) (param $high f32) (param $low f32)
    (local $numbers v128)
    (loop $next
      (local.set $numbers
        (f32x4.convert_i32x4_u
          (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $from))))))
      (v128.store (local.get $to)
        (f32x4.add
          (f32x4.mul (local.get $numbers) (f32x4.splat (local.get $high)))
          (f32x4.mul (local.get $numbers) (f32x4.splat (local.get $low)))))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br_if $next (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 4))) (i32.const 0)))))

  ;; join augment/view_pixels.wat

  (func (export "sampleViews")
    (param $table i32) (param $rows i32) (param $record i32) (param $to i32) (param $V i32) (param $R i32) (param $h i32)
    (param $w i32) (param $C i32) (param $H i32) (param $W i32) (param $recordBytes i32) (param $plane i32) (param $flags i32)
    (param $cutOut f32) (param $high f32) (param $low f32) (param $stream i32) (param $scratch i32)
    (local $row i32) (local $numbers i32) (local $pictureNumbers i32) (local $picture i32) (local $first i32)
    (local.set $numbers (i32.mul (i32.mul (local.get $H) (local.get $W)) (local.get $C)))
    (local.set $pictureNumbers (i32.mul (i32.mul (local.get $h) (local.get $w)) (local.get $C)))
    (loop $next
      (local.set $row (i32.load (local.get $rows)))
      (if (i32.ge_u (local.get $row) (local.get $R))
        (then
          (call $fillElements (local.get $to) (local.get $numbers) (i32x4.splat (i32.const 0x7fc00000))))
        (else
          (local.set $picture (i32.mul (local.get $row) (local.get $pictureNumbers)))
          (if (i32.and (local.get $flags) (i32.const 32))
            (then
              (call $floats
                (i32.add (local.get $table) (local.get $picture)) (i32.add (local.get $scratch) (i32.const 80))
                (local.get $pictureNumbers) (local.get $high) (local.get $low))
              (local.set $picture (i32.add (local.get $scratch) (i32.const 80))))
            (else
              (local.set $picture (i32.add (local.get $table) (i32.shl (local.get $picture) (i32.const 2))))))
          ;; From the last channels to the first ones, which are stored over what is too much.
          (local.set $first (i32.and (i32.sub (local.get $C) (i32.const 1)) (i32.const -4)))
          (loop $nextQuad
            (call $colours
              (i32.add (local.get $picture) (i32.shl (local.get $first) (i32.const 2)))
              (local.get $record)
              (i32.add (local.get $record) (i32.add (i32.const 64) (i32.mul (local.get $first) (i32.const 24))))
              (i32.add (local.get $to)
                (i32.mul (local.get $first) (select (local.get $plane) (i32.const 4) (local.get $plane))))
              (i32.sub (local.get $C) (local.get $first))
              (local.get $h) (local.get $w) (local.get $C) (local.get $H) (local.get $W) (local.get $plane)
              (local.get $flags))
            (br_if $nextQuad
              (i32.ge_s (local.tee $first (i32.sub (local.get $first) (i32.const 4))) (i32.const 0))))
          (if (i32.and (local.get $flags) (i32.const 16))
            (then
              (call $noise
                (local.get $to) (local.get $record) (i32.mul (local.get $H) (local.get $W)) (local.get $C)
                (local.get $plane) (local.get $stream) (local.get $scratch))))
          (if (f32.gt (local.get $cutOut) (f32.const 0))
            (then
              (call $cut
                (local.get $to) (local.get $record) (local.get $H) (local.get $W) (local.get $C) (local.get $plane)
                (local.get $cutOut))))))
      (local.set $rows (i32.add (local.get $rows) (i32.const 4)))
      (local.set $record (i32.add (local.get $record) (local.get $recordBytes)))
      (local.set $to (i32.add (local.get $to) (i32.shl (local.get $numbers) (i32.const 2))))
      (br_if $next (local.tee $V (i32.sub (local.get $V) (i32.const 1))))))
)
