// Package digest has the checksums that S3 knows, as its headers spell them.
package digest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"hash/crc64"
)

// nvme is the polynomial of CRC-64/NVME, its bits in reverse.
const nvme = 0x9a6c9329ac4bc9b5

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	crc64NVME  = crc64.MakeTable(nvme)
)

// Algorithms are the modelled ones, by the name that follows "Checksum" in S3's fields.
var Algorithms = []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"}

// Sum is a body's checksum; nil for an algorithm that is not modelled.
func Sum(algorithm string, body []byte) []byte {
	switch algorithm {
	case "CRC32":
		return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body))
	case "CRC32C":
		return binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, castagnoli))
	case "CRC64NVME":
		return binary.BigEndian.AppendUint64(nil, crc64.Checksum(body, crc64NVME))
	case "SHA1":
		sum := sha1.Sum(body)
		return sum[:]
	case "SHA256":
		sum := sha256.Sum256(body)
		return sum[:]
	}
	return nil
}

// Text is a checksum as a header has it.
func Text(algorithm string, body []byte) string {
	return base64.StdEncoding.EncodeToString(Sum(algorithm, body))
}
