package wire

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/digest"
)

const checksumPrefix = "X-Amz-Checksum-"

// checkDigests compares a body with the checksums that came with it, as S3's guide "Checking object integrity" and its
// list of error codes tell. A completed upload's checksum is of the object, not of the body.
func checkDigests(header http.Header, operation string, body []byte) error {
	if text := header.Get("Content-Md5"); text != "" {
		sum, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(sum) != md5.Size {
			return api.Errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if actual := md5.Sum(body); !bytes.Equal(sum, actual[:]) {
			return api.Errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	signed := header.Get("X-Amz-Content-Sha256")
	if sum, err := hex.DecodeString(signed); err == nil && len(sum) == sha256.Size {
		if actual := sha256.Sum256(body); !bytes.Equal(sum, actual[:]) {
			return api.Errorf(
				"XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.",
			)
		}
	}
	if operation == "CompleteMultipartUpload" {
		return nil
	}
	return checkChecksums(header, body)
}

func checkChecksums(header http.Header, body []byte) error {
	var given []string
	for _, algorithm := range digest.Algorithms {
		text := header.Get(checksumPrefix + algorithm)
		if text == "" {
			continue
		}
		given = append(given, algorithm)
		sum, err := base64.StdEncoding.DecodeString(text)
		switch actual := digest.Sum(algorithm, body); {
		case err != nil || len(sum) != len(actual):
			return api.Errorf("InvalidRequest", "Value for x-amz-checksum-%s header is invalid.", strings.ToLower(algorithm))
		case !bytes.Equal(sum, actual):
			return api.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", algorithm)
		}
	}
	announced := header.Get("X-Amz-Sdk-Checksum-Algorithm")
	switch {
	case len(given) > 1:
		return api.Errorf(
			"InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
		)
	case announced != "" && !slices.Contains(digest.Algorithms, announced):
		return api.NotModelled("checksum algorithm %s of S3", announced)
	case announced != "" && !slices.Contains(given, announced):
		return api.Errorf(
			"InvalidRequest", "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "+
				"x-amz-trailer headers were found.",
		)
	}
	return nil
}

// unchunk takes an aws-chunked body apart; the checksums in its trailer become headers.
func unchunk(body []byte, header http.Header) ([]byte, error) {
	broken := api.Errorf("IncompleteBody", "the aws-chunked body is broken")
	var plain []byte
	for {
		line, rest, ok := bytes.Cut(body, []byte("\r\n"))
		head, _, _ := strings.Cut(string(line), ";")
		size, err := strconv.ParseInt(head, 16, 64)
		if !ok || err != nil || size < 0 || size > int64(len(rest)) {
			return nil, broken
		}
		plain = append(plain, rest[:size]...)
		if size == 0 {
			for line := range strings.SplitSeq(string(rest), "\r\n") {
				name, value, _ := strings.Cut(line, ":")
				if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); strings.HasPrefix(name, checksumPrefix) {
					header.Set(name, strings.TrimSpace(value))
				}
			}
			return plain, nil
		}
		if !bytes.HasPrefix(rest[size:], []byte("\r\n")) {
			return nil, broken
		}
		body = rest[size+2:]
	}
}
