package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"hash/crc32"
	"net"
	"net/http"
	"net/textproto"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// s3Codec speaks S3's REST XML. What an operation takes from the path, the query and the headers is in tables; only
// bodies differ by operation.
type s3Codec struct {
	bucket, key string
	request     *http.Request
	body        []byte
	head        bool
}

// s3Queries and s3Headers are the parameters that become input fields.
var (
	s3Queries = map[string]string{
		"prefix": "Prefix", "delimiter": "Delimiter", "max-keys": "MaxKeys", "continuation-token": "ContinuationToken",
		"start-after": "StartAfter", "fetch-owner": "FetchOwner", "encoding-type": "EncodingType", "versionId": "VersionId",
		"max-buckets": "MaxBuckets", "uploadId": "UploadId", "partNumber": "PartNumber",
	}
	s3Headers = map[string]string{
		"If-Match": "IfMatch", "If-None-Match": "IfNoneMatch", "If-Modified-Since": "IfModifiedSince",
		"If-Unmodified-Since": "IfUnmodifiedSince", "Content-Type": "ContentType", "Cache-Control": "CacheControl",
		"Content-Disposition": "ContentDisposition", "Content-Language": "ContentLanguage", "Range": "Range",
		"X-Amz-Server-Side-Encryption": "ServerSideEncryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "SSEKMSKeyId",
		"X-Amz-Storage-Class": "StorageClass", "X-Amz-Tagging": "Tagging", "X-Amz-Acl": "ACL",
	}
	// s3Selectors are the query parameters that only choose the operation.
	s3Selectors = map[string]bool{"x-id": true, "list-type": true, "delete": true, "location": true, "uploads": true}
)

// metaPrefix is what user metadata headers begin with.
const metaPrefix = "X-Amz-Meta-"

func readS3(r *http.Request, body []byte) (*Request, error) {
	c := s3Codec{request: r, body: body, head: r.Method == http.MethodHead}
	c.bucket, c.key = s3Place(r)
	request := &Request{Service: "s3", Operation: s3Operation(r, c.bucket, c.key), codec: c}
	if request.Operation == "" {
		return request, api.NotModelled("S3 request %s %s", r.Method, r.URL.RequestURI())
	}
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		plain, err := unchunk(body)
		if err != nil {
			return request, err
		}
		c.body = plain
		request.codec = c
	}
	return request, nil
}

// s3Place reads bucket and key, virtual-host style when the host's name begins with a bucket, path style otherwise.
func s3Place(r *http.Request) (bucket, key string) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	for _, mark := range []string{".s3.", ".s3-", ".localhost"} {
		if at := strings.Index(host, mark); at > 0 {
			return host[:at], path
		}
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

func s3Operation(r *http.Request, bucket, key string) string {
	query := r.URL.Query()
	switch {
	case bucket == "":
		return map[string]string{http.MethodGet: "ListBuckets"}[r.Method]
	case key == "" && query.Has("location"):
		return map[string]string{http.MethodGet: "GetBucketLocation"}[r.Method]
	case key == "" && query.Has("delete"):
		return map[string]string{http.MethodPost: "DeleteObjects"}[r.Method]
	case key == "" && query.Get("list-type") == "2":
		return map[string]string{http.MethodGet: "ListObjectsV2"}[r.Method]
	case key == "":
		return map[string]string{
			http.MethodPut: "CreateBucket", http.MethodHead: "HeadBucket", http.MethodDelete: "DeleteBucket",
		}[r.Method]
	}
	switch {
	case query.Has("uploads"):
		return map[string]string{http.MethodPost: "CreateMultipartUpload"}[r.Method]
	case query.Has("uploadId"):
		return map[string]string{
			http.MethodPut: "UploadPart", http.MethodGet: "ListParts", http.MethodPost: "CompleteMultipartUpload",
			http.MethodDelete: "AbortMultipartUpload",
		}[r.Method]
	}
	return map[string]string{
		http.MethodPut: "PutObject", http.MethodGet: "GetObject", http.MethodHead: "HeadObject",
		http.MethodDelete: "DeleteObject",
	}[r.Method]
}

func (c s3Codec) decode(into any) error {
	tree := map[string]any{}
	if c.bucket != "" {
		tree["Bucket"] = c.bucket
	}
	if c.key != "" {
		tree["Key"] = c.key
	}
	for name, values := range c.request.URL.Query() {
		switch field := s3Queries[name]; {
		case field != "":
			tree[field] = values[0]
		case !s3Selectors[name] && !strings.HasPrefix(name, "X-Amz-"): // a presigned URL's own parameters
			return api.NotModelled("S3 query parameter %s", name)
		}
	}
	metadata := map[string]any{}
	known := reflect.TypeOf(into).Elem()
	for name, values := range c.request.Header {
		field := s3Headers[name]
		if meta, ok := strings.CutPrefix(name, metaPrefix); ok {
			metadata[strings.ToLower(meta)] = values[0]
		} else if _, has := known.FieldByName(field); has {
			tree[field] = values[0]
		}
	}
	if len(metadata) > 0 {
		tree["Metadata"] = metadata
	}
	if err := (assigner{plainName}).assign(reflect.ValueOf(into).Elem(), tree, ""); err != nil {
		return err
	}
	return c.decodeBody(into)
}

func (c s3Codec) decodeBody(into any) error {
	switch input := into.(type) {
	case *s3.PutObjectInput:
		length := int64(len(c.body))
		input.Body, input.ContentLength = bytes.NewReader(c.body), &length
	case *s3.UploadPartInput:
		length := int64(len(c.body))
		input.Body, input.ContentLength = bytes.NewReader(c.body), &length
	case *s3.CompleteMultipartUploadInput:
		var document struct {
			Part []struct {
				PartNumber int32
				ETag       string
			}
		}
		if err := xml.Unmarshal(c.body, &document); err != nil {
			return api.Errorf("MalformedXML", "the body is not a CompleteMultipartUpload document: %v", err)
		}
		input.MultipartUpload = &types.CompletedMultipartUpload{}
		for _, each := range document.Part {
			input.MultipartUpload.Parts = append(
				input.MultipartUpload.Parts, types.CompletedPart{PartNumber: &each.PartNumber, ETag: &each.ETag},
			)
		}
	case *s3.DeleteObjectsInput:
		var document struct {
			Quiet  bool
			Object []struct{ Key string }
		}
		if err := xml.Unmarshal(c.body, &document); err != nil {
			return api.Errorf("MalformedXML", "the body is not a Delete document: %v", err)
		}
		input.Delete = &types.Delete{Quiet: &document.Quiet}
		for _, object := range document.Object {
			input.Delete.Objects = append(input.Delete.Objects, types.ObjectIdentifier{Key: &object.Key})
		}
	case *s3.CreateBucketInput:
		// A location constraint repeats the endpoint's region; there is nothing else in this body that we model.
	}
	return nil
}

// unchunk takes an aws-chunked body apart and checks its trailing CRC-32 where there is one.
func unchunk(body []byte) ([]byte, error) {
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
			return plain, checkTrailer(rest, plain)
		}
		if !bytes.HasPrefix(rest[size:], []byte("\r\n")) {
			return nil, broken
		}
		body = rest[size+2:]
	}
}

func checkTrailer(trailer, plain []byte) error {
	for line := range strings.SplitSeq(string(trailer), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)) != "X-Amz-Checksum-Crc32" {
			continue
		}
		sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(plain))
		if strings.TrimSpace(value) != base64.StdEncoding.EncodeToString(sum) {
			return api.Errorf("BadDigest", "the CRC32 you specified did not match the calculated checksum")
		}
	}
	return nil
}
