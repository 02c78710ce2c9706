package wire

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// s3Queries and s3Headers are the parameters that become input fields, under the names of S3's API model.
var (
	s3Queries = map[string]string{
		"prefix": "Prefix", "delimiter": "Delimiter", "max-keys": "MaxKeys", "continuation-token": "ContinuationToken",
		"start-after": "StartAfter", "marker": "Marker", "fetch-owner": "FetchOwner", "encoding-type": "EncodingType",
		"versionId":   "VersionId",
		"max-buckets": "MaxBuckets", "uploadId": "UploadId", "partNumber": "PartNumber", "bucket-region": "BucketRegion",
		"max-parts": "MaxParts", "part-number-marker": "PartNumberMarker", "max-uploads": "MaxUploads",
		"key-marker": "KeyMarker", "upload-id-marker": "UploadIdMarker",
	}
	s3Headers = map[string]string{
		"If-Match": "IfMatch", "If-None-Match": "IfNoneMatch", "If-Modified-Since": "IfModifiedSince",
		"If-Unmodified-Since": "IfUnmodifiedSince", "Range": "Range", "Expires": "Expires",
		"Content-Type": "ContentType", "Cache-Control": "CacheControl", "Content-Disposition": "ContentDisposition",
		"Content-Language": "ContentLanguage", "Content-Encoding": "ContentEncoding", "Content-Md5": "ContentMD5",

		"X-Amz-Acl":                                       "ACL",
		"X-Amz-Bucket-Namespace":                          "BucketNamespace",
		"X-Amz-Bucket-Object-Lock-Enabled":                "ObjectLockEnabledForBucket",
		"X-Amz-Bypass-Governance-Retention":               "BypassGovernanceRetention",
		"X-Amz-Checksum-Algorithm":                        "ChecksumAlgorithm",
		"X-Amz-Sdk-Checksum-Algorithm":                    "ChecksumAlgorithm",
		"X-Amz-Checksum-Crc32":                            "ChecksumCRC32",
		"X-Amz-Checksum-Crc32c":                           "ChecksumCRC32C",
		"X-Amz-Checksum-Crc64nvme":                        "ChecksumCRC64NVME",
		"X-Amz-Checksum-Sha1":                             "ChecksumSHA1",
		"X-Amz-Checksum-Sha256":                           "ChecksumSHA256",
		"X-Amz-Checksum-Mode":                             "ChecksumMode",
		"X-Amz-Checksum-Type":                             "ChecksumType",
		"X-Amz-Copy-Source":                               "CopySource",
		"X-Amz-Copy-Source-If-Match":                      "CopySourceIfMatch",
		"X-Amz-Copy-Source-If-Modified-Since":             "CopySourceIfModifiedSince",
		"X-Amz-Copy-Source-If-None-Match":                 "CopySourceIfNoneMatch",
		"X-Amz-Copy-Source-If-Unmodified-Since":           "CopySourceIfUnmodifiedSince",
		"X-Amz-Copy-Source-Range":                         "CopySourceRange",
		"X-Amz-Expected-Bucket-Owner":                     "ExpectedBucketOwner",
		"X-Amz-Grant-Full-Control":                        "GrantFullControl",
		"X-Amz-Grant-Read":                                "GrantRead",
		"X-Amz-Grant-Read-Acp":                            "GrantReadACP",
		"X-Amz-Grant-Write":                               "GrantWrite",
		"X-Amz-Grant-Write-Acp":                           "GrantWriteACP",
		"X-Amz-If-Match-Initiated-Time":                   "IfMatchInitiatedTime",
		"X-Amz-If-Match-Last-Modified-Time":               "IfMatchLastModifiedTime",
		"X-Amz-If-Match-Size":                             "IfMatchSize",
		"X-Amz-Metadata-Directive":                        "MetadataDirective",
		"X-Amz-Mfa":                                       "MFA",
		"X-Amz-Mp-Object-Size":                            "MpuObjectSize",
		"X-Amz-Object-Lock-Legal-Hold":                    "ObjectLockLegalHoldStatus",
		"X-Amz-Object-Lock-Mode":                          "ObjectLockMode",
		"X-Amz-Object-Lock-Retain-Until-Date":             "ObjectLockRetainUntilDate",
		"X-Amz-Object-Ownership":                          "ObjectOwnership",
		"X-Amz-Optional-Object-Attributes":                "OptionalObjectAttributes",
		"X-Amz-Request-Payer":                             "RequestPayer",
		"X-Amz-Server-Side-Encryption":                    "ServerSideEncryption",
		"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id":     "SSEKMSKeyId",
		"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "BucketKeyEnabled",
		"X-Amz-Server-Side-Encryption-Context":            "SSEKMSEncryptionContext",
		"X-Amz-Server-Side-Encryption-Customer-Algorithm": "SSECustomerAlgorithm",
		"X-Amz-Server-Side-Encryption-Customer-Key":       "SSECustomerKey",
		"X-Amz-Server-Side-Encryption-Customer-Key-Md5":   "SSECustomerKeyMD5",
		"X-Amz-Source-Expected-Bucket-Owner":              "ExpectedSourceBucketOwner",
		"X-Amz-Storage-Class":                             "StorageClass",
		"X-Amz-Tagging":                                   "Tagging",
		"X-Amz-Tagging-Directive":                         "TaggingDirective",
		"X-Amz-Website-Redirect-Location":                 "WebsiteRedirectLocation",
		"X-Amz-Write-Offset-Bytes":                        "WriteOffsetBytes",
	}
	// s3Transport are headers of the transport: signature, and checksums of the body, which are checked for every request.
	s3Transport = map[string]bool{
		"X-Amz-Date": true, "X-Amz-Content-Sha256": true, "X-Amz-Security-Token": true, "X-Amz-User-Agent": true,
		"X-Amz-Decoded-Content-Length": true, "X-Amz-Trailer": true, "X-Amz-Te": true,
		"X-Amz-Sdk-Checksum-Algorithm": true, "X-Amz-Checksum-Crc32": true, "X-Amz-Checksum-Crc32c": true,
		"X-Amz-Checksum-Crc64nvme": true, "X-Amz-Checksum-Sha1": true, "X-Amz-Checksum-Sha256": true,
	}
	// s3Selectors are the query parameters that only choose the operation.
	s3Selectors = map[string]bool{"x-id": true, "list-type": true, "delete": true, "location": true, "uploads": true}
)

// metaPrefix is what user metadata headers begin with.
const metaPrefix = "X-Amz-Meta-"

// plantHeaders puts the headers that are parameters into a tree. An x-amz- header that the operation's input lacks is
// refused: S3 acts upon many of them, and which ones it would have ignored here is not known.
func plantHeaders(tree map[string]any, header http.Header, into reflect.Type) error {
	metadata := map[string]any{}
	for name, values := range header {
		if meta, ok := strings.CutPrefix(name, metaPrefix); ok {
			metadata[strings.ToLower(meta)] = strings.Join(values, ",")
			continue
		}
		field, has := into.FieldByName(s3Headers[name])
		switch {
		case has:
			tree[field.Name] = headerValue(name, values[0], field.Type)
		case strings.HasPrefix(name, "X-Amz-") && !s3Transport[name]:
			return api.NotModelled("header %s of this S3 request", name)
		}
	}
	if tree["ContentEncoding"] == "" { // aws-chunked alone: how it came, not what it is
		delete(tree, "ContentEncoding")
	}
	if len(metadata) > 0 {
		tree["Metadata"] = metadata
	}
	return nil
}

// headerValue spells a header as the body of another protocol would.
func headerValue(name, text string, as reflect.Type) any {
	switch {
	case name == "Content-Encoding":
		var encodings []string
		for each := range strings.SplitSeq(text, ",") {
			if each = strings.TrimSpace(each); each != "aws-chunked" {
				encodings = append(encodings, each)
			}
		}
		return strings.Join(encodings, ",")
	case as.Kind() == reflect.Slice:
		return []any{text}
	case as.Kind() == reflect.Pointer && as.Elem() == timeType:
		if at, err := http.ParseTime(text); err == nil {
			return at
		}
	}
	return text
}
