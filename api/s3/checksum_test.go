package s3

import (
	"hash/crc32"
	"hash/crc64"
	"testing"

	"pgregory.net/rapid"
)

// The CRC of two pieces is put together from those of each.
func TestCombine(t *testing.T) {
	if got := crc64.Checksum([]byte("123456789"), nvme); got != 0xae8b14860a799888 { // CRC catalogue, CRC-64/NVME
		t.Fatalf("%x", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		both := append(append([]byte{}, a...), b...)
		for _, table := range []*crc32.Table{crc32.IEEETable, castagnoli} {
			polynomial := uint64(crc32.IEEE)
			if table == castagnoli {
				polynomial = crc32.Castagnoli
			}
			got := combine(polynomial, 32, uint64(crc32.Checksum(a, table)), uint64(crc32.Checksum(b, table)), int64(len(b)))
			if got != uint64(crc32.Checksum(both, table)) {
				t.Fatalf("CRC32: %x", got)
			}
		}
		if got := combine(nvmePolynomial, 64, crc64.Checksum(a, nvme), crc64.Checksum(b, nvme), int64(len(b))); got != crc64.Checksum(both, nvme) {
			t.Fatalf("CRC64: %x", got)
		}
	})
}
