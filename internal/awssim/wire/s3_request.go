package wire

import (
	"net"
	"net/http"
	"reflect"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// s3Codec speaks S3's REST XML. What an operation takes from the path, the query and the headers is in tables; only
// bodies differ by operation.
type s3Codec struct {
	bucket, key string
	operation   string
	request     *http.Request
	body        []byte
	head        bool
}

func readS3(r *http.Request, body []byte) (*Request, error) {
	c := s3Codec{request: r, body: body, head: r.Method == http.MethodHead}
	c.bucket, c.key = s3Place(r)
	c.operation = s3Operation(r, c.bucket, c.key)
	request := &Request{Service: "s3", Operation: c.operation, codec: c}
	if request.Operation == "" {
		return request, api.NotModelled("S3 request %s %s", r.Method, r.URL.RequestURI())
	}
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		plain, err := unchunk(body, r.Header)
		if err != nil {
			return request, err
		}
		c.body = plain
		request.codec = c
	}
	return request, checkDigests(r.Header, request.Operation, c.body)
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
	case key == "" && bucketPart(r) != "":
		return bucketParts[bucketPart(r)][r.Method]
	case key == "" && query.Has("location"):
		return map[string]string{http.MethodGet: "GetBucketLocation"}[r.Method]
	case key == "" && query.Has("delete"):
		return map[string]string{http.MethodPost: "DeleteObjects"}[r.Method]
	case key == "" && query.Get("list-type") == "2":
		return map[string]string{http.MethodGet: "ListObjectsV2"}[r.Method]
	case key == "" && query.Has("uploads"):
		return map[string]string{http.MethodGet: "ListMultipartUploads"}[r.Method]
	case key == "":
		return map[string]string{
			http.MethodPut: "CreateBucket", http.MethodHead: "HeadBucket", http.MethodDelete: "DeleteBucket",
			http.MethodGet: "ListObjects",
		}[r.Method]
	}
	copied := r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != ""
	switch {
	case copied && query.Has("uploadId"):
		return "UploadPartCopy"
	case copied:
		return "CopyObject"
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

// bucketParts are the parts of a bucket that have operations of their own, by query parameter and method.
var bucketParts = map[string]map[string]string{
	"policy": {
		http.MethodGet: "GetBucketPolicy", http.MethodPut: "PutBucketPolicy", http.MethodDelete: "DeleteBucketPolicy",
	},
	"policyStatus": {http.MethodGet: "GetBucketPolicyStatus"},
	"publicAccessBlock": {
		http.MethodGet: "GetPublicAccessBlock", http.MethodPut: "PutPublicAccessBlock",
		http.MethodDelete: "DeletePublicAccessBlock",
	},
	"encryption": {
		http.MethodGet: "GetBucketEncryption", http.MethodPut: "PutBucketEncryption",
		http.MethodDelete: "DeleteBucketEncryption",
	},
	"versioning":        {http.MethodGet: "GetBucketVersioning"},
	"ownershipControls": {http.MethodGet: "GetBucketOwnershipControls"},
	"requestPayment":    {http.MethodGet: "GetBucketRequestPayment"},
	"logging":           {http.MethodGet: "GetBucketLogging"},
}

// bucketPart is the part of a bucket that a request is about; "" is the bucket itself.
func bucketPart(r *http.Request) string {
	for name := range r.URL.Query() {
		if bucketParts[name] != nil {
			return name
		}
	}
	return ""
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
		case bucketParts[name] != nil && bucketParts[name][c.request.Method] == c.operation:
		case !s3Selectors[name] && !strings.HasPrefix(name, "X-Amz-"): // a presigned URL's own parameters
			return api.NotModelled("S3 query parameter %s", name)
		}
	}
	if err := plantHeaders(tree, c.request.Header, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	if err := (assigner{plainName}).assign(reflect.ValueOf(into).Elem(), tree, ""); err != nil {
		return err
	}
	return c.decodeBody(into)
}
