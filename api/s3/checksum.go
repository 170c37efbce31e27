package s3

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"reflect"
	"strings"

	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/record"
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvme       = crc64.MakeTable(nvmePolynomial)
)

// The polynomials of the CRCs, reversed.
const (
	nvmePolynomial = 0x9a6c9329ac4bc9b5
)

// checksums are the algorithms, and how their values can be put together.
// Source: S3 user guide, "Checking object integrity in Amazon S3".
var checksums = map[s3.ChecksumAlgorithm]struct {
	hash       func() hash.Hash
	polynomial uint64 // of a CRC, reversed; 0 for others
	bits       int
}{
	s3.ChecksumAlgorithmCrc32:     {func() hash.Hash { return crc32.NewIEEE() }, crc32.IEEE, 32},
	s3.ChecksumAlgorithmCrc32c:    {func() hash.Hash { return crc32.New(castagnoli) }, crc32.Castagnoli, 32},
	s3.ChecksumAlgorithmCrc64nvme: {func() hash.Hash { return crc64.New(nvme) }, nvmePolynomial, 64},
	s3.ChecksumAlgorithmSha1:      {sha1.New, 0, 0},
	s3.ChecksumAlgorithmSha256:    {sha256.New, 0, 0},
}

// defaultChecksum is what S3 computes when the client gives none.
const defaultChecksum = s3.ChecksumAlgorithmCrc64nvme

// givenChecksum is the checksum in an input's members ChecksumCRC32 and so on. No
// algorithm means that there is none.
func givenChecksum(in any) (algorithm s3.ChecksumAlgorithm, value string, err error) {
	v := reflect.ValueOf(in).Elem()
	for a := range checksums {
		given := member(v, "Checksum"+string(a))
		if given == "" {
			continue
		}
		if algorithm != "" {
			return "", "", protocol.Errorf("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		algorithm, value = a, given
	}
	if algorithm == "" {
		return "", "", nil
	}
	return algorithm, value, checkValue(algorithm, value)
}

func header(a s3.ChecksumAlgorithm) string { return "x-amz-checksum-" + strings.ToLower(string(a)) }

// checkValue refuses what no checksum can be.
func checkValue(a s3.ChecksumAlgorithm, value string) error {
	value, _, _ = strings.Cut(value, "-")
	if b, err := base64.StdEncoding.DecodeString(value); err != nil || len(b) != checksums[a].hash().Size() {
		return protocol.Errorf("InvalidRequest", "Value for %s header is invalid.", header(a))
	}
	return nil
}

// badDigest is the answer to contents that are not those of a checksum.
func badDigest(a s3.ChecksumAlgorithm) error {
	return protocol.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", a)
}

// setChecksum sets the members of an output that show a checksum.
func setChecksum(out any, c *record.ObjectChecksum) {
	if c == nil {
		return
	}
	v := reflect.ValueOf(out).Elem()
	v.FieldByName("Checksum" + string(c.Algorithm)).Set(reflect.ValueOf(new(c.Value)))
	if t := v.FieldByName("ChecksumType"); t.IsValid() {
		t.Set(reflect.ValueOf(c.Type))
	}
}

func encodeSum(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

// combine gives the CRC of two pieces of contents, one after the other, from the CRC of
// each and the length of the second: that of the first is carried over as many zeros,
// which is a linear map of its bits that is squared for each bit of the length.
func combine(polynomial uint64, bits int, first, second uint64, length int64) uint64 {
	odd := make([]uint64, bits) // the map of one zero bit
	odd[0] = polynomial
	for i := 1; i < bits; i++ {
		odd[i] = 1 << (i - 1)
	}
	even := square(square(odd)) // of four zero bits
	for m := square(even); length > 0; length, m = length>>1, square(m) {
		if length&1 == 1 {
			first = apply(m, first)
		}
	}
	return first ^ second
}

func apply(matrix []uint64, vector uint64) (sum uint64) {
	for i := 0; vector != 0; i, vector = i+1, vector>>1 {
		if vector&1 == 1 {
			sum ^= matrix[i]
		}
	}
	return sum
}

func square(matrix []uint64) []uint64 {
	squared := make([]uint64, len(matrix))
	for i := range matrix {
		squared[i] = apply(matrix, matrix[i])
	}
	return squared
}
