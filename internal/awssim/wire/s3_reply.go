package wire

import (
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// s3Namespace is that of every S3 document.
const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

func (c s3Codec) encode(operation string, output any, requestID string) (Response, error) {
	response := Response{Status: http.StatusOK, Header: http.Header{"X-Amz-Request-Id": {requestID}}}
	switch output := output.(type) {
	case *s3.ListBucketsOutput:
		response.document("ListAllMyBucketsResult", &xmlWriter{name: plainName, item: "Bucket"}, output)
	case *s3.ListObjectsV2Output:
		response.document("ListBucketResult", &xmlWriter{name: plainName, flat: true}, output)
	case *s3.ListObjectsOutput:
		response.document("ListBucketResult", &xmlWriter{name: plainName, flat: true}, output)
	case *s3.GetBucketPolicyOutput:
		response.Body = []byte(*output.Policy)
		response.Header.Set("Content-Type", "application/json")
	case *s3.GetBucketPolicyStatusOutput:
		response.document("PolicyStatus", &xmlWriter{name: plainName}, output.PolicyStatus)
	case *s3.GetPublicAccessBlockOutput:
		response.document(
			"PublicAccessBlockConfiguration", &xmlWriter{name: plainName}, output.PublicAccessBlockConfiguration,
		)
	case *s3.GetBucketEncryptionOutput:
		response.document("ServerSideEncryptionConfiguration", &xmlWriter{name: ruleName, flat: true},
			output.ServerSideEncryptionConfiguration)
	case *s3.GetBucketOwnershipControlsOutput:
		response.document("OwnershipControls", &xmlWriter{name: ruleName, flat: true}, output.OwnershipControls)
	case *s3.GetBucketRequestPaymentOutput:
		response.document("RequestPaymentConfiguration", &xmlWriter{name: plainName}, output)
	case *s3.GetBucketVersioningOutput:
		response.document("VersioningConfiguration", &xmlWriter{name: plainName}, output)
	case *s3.GetBucketLoggingOutput:
		response.document("BucketLoggingStatus", &xmlWriter{name: plainName}, output)
	case *s3.DeleteBucketPolicyOutput, *s3.DeletePublicAccessBlockOutput, *s3.DeleteBucketEncryptionOutput,
		*s3.PutBucketPolicyOutput:
		response.Status = http.StatusNoContent
	case *s3.DeleteObjectsOutput:
		response.document("DeleteResult", &xmlWriter{name: deleteName, flat: true}, output)
	case *s3.GetBucketLocationOutput:
		response.Body = []byte(
			xml.Header + `<LocationConstraint xmlns="` + s3Namespace + `">` + string(output.LocationConstraint) +
				`</LocationConstraint>`,
		)
	case *s3.GetObjectOutput:
		body, err := io.ReadAll(output.Body)
		if err != nil {
			return response, err
		}
		response.Body = body
		if output.ContentRange != nil {
			response.Status = http.StatusPartialContent
		}
		response.objectHeaders(output)
	case *s3.CreateMultipartUploadOutput:
		response.objectHeaders(output)
		response.document("InitiateMultipartUploadResult", &xmlWriter{name: plainName, without: s3ReplyHeaders}, output)
	case *s3.CompleteMultipartUploadOutput:
		response.objectHeaders(&s3.PutObjectOutput{
			ServerSideEncryption: output.ServerSideEncryption, SSEKMSKeyId: output.SSEKMSKeyId,
		})
		shown := *output
		shown.ServerSideEncryption, shown.SSEKMSKeyId = "", nil
		response.document("CompleteMultipartUploadResult", &xmlWriter{name: plainName}, &shown)
	case *s3.CopyObjectOutput:
		response.objectHeaders(output)
		response.document("CopyObjectResult", &xmlWriter{name: plainName}, output.CopyObjectResult)
	case *s3.UploadPartCopyOutput:
		response.objectHeaders(output)
		response.document("CopyPartResult", &xmlWriter{name: plainName}, output.CopyPartResult)
	case *s3.ListMultipartUploadsOutput:
		response.document("ListMultipartUploadsResult", &xmlWriter{name: uploadName, flat: true}, output)
	case *s3.ListPartsOutput:
		response.document("ListPartsResult", &xmlWriter{name: partName, flat: true}, output)
	case *s3.DeleteObjectOutput, *s3.AbortMultipartUploadOutput:
		response.Status = http.StatusNoContent
	default:
		response.objectHeaders(output)
	}
	return response, nil
}

// deleteName undoes the SDK's plural, for Errors alone is spelt Error on the wire.
func deleteName(_ reflect.Type, field reflect.StructField) string {
	if field.Name == "Errors" {
		return "Error"
	}
	return field.Name
}

// ruleName is how the rules of a setting are spelt, one by one.
func ruleName(_ reflect.Type, field reflect.StructField) string {
	if field.Name == "Rules" {
		return "Rule"
	}
	return field.Name
}

// uploadName is how the uploads of a bucket are spelt, one by one.
func uploadName(_ reflect.Type, field reflect.StructField) string {
	if field.Name == "Uploads" {
		return "Upload"
	}
	return field.Name
}

// partName is how the parts of an upload are spelt, one by one.
func partName(_ reflect.Type, field reflect.StructField) string {
	if field.Name == "Parts" {
		return "Part"
	}
	return field.Name
}

func (r *Response) document(root string, w *xmlWriter, output any) {
	w.text.WriteString(xml.Header + "<" + root + ` xmlns="` + s3Namespace + `">`)
	w.fields(reflect.ValueOf(output).Elem())
	w.text.WriteString("</" + root + ">")
	r.Body = w.text.Bytes()
	r.Header.Set("Content-Type", "application/xml")
}

// s3ReplyHeaders are the output fields that travel as headers.
var s3ReplyHeaders = map[string]string{
	"ETag": "ETag", "ContentType": "Content-Type", "ContentLength": "Content-Length", "ContentRange": "Content-Range",
	"AcceptRanges": "Accept-Ranges", "CacheControl": "Cache-Control", "ContentDisposition": "Content-Disposition",
	"ContentLanguage": "Content-Language", "BucketRegion": "X-Amz-Bucket-Region", "Location": "Location",
	"ServerSideEncryption": "X-Amz-Server-Side-Encryption", "LastModified": "Last-Modified",
	"ContentEncoding": "Content-Encoding", "ExpiresString": "Expires", "StorageClass": "X-Amz-Storage-Class",
	"SSEKMSKeyId":          "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
	"SSECustomerAlgorithm": "X-Amz-Server-Side-Encryption-Customer-Algorithm",
	"SSECustomerKeyMD5":    "X-Amz-Server-Side-Encryption-Customer-Key-Md5",
	"ChecksumCRC32":        "X-Amz-Checksum-Crc32", "ChecksumCRC32C": "X-Amz-Checksum-Crc32c",
	"ChecksumCRC64NVME": "X-Amz-Checksum-Crc64nvme", "ChecksumSHA1": "X-Amz-Checksum-Sha1",
	"ChecksumSHA256": "X-Amz-Checksum-Sha256", "ChecksumType": "X-Amz-Checksum-Type",
	"ChecksumAlgorithm": "X-Amz-Checksum-Algorithm",
}

func (r *Response) objectHeaders(output any) {
	v := reflect.ValueOf(output).Elem()
	for _, field := range members(v.Type()) {
		value := v.FieldByIndex(field.Index)
		if absent(value) {
			continue
		}
		value = reflect.Indirect(value)
		switch name := s3ReplyHeaders[field.Name]; {
		case field.Name == "Metadata":
			for key, text := range value.Interface().(map[string]string) {
				r.Header.Set(metaPrefix+key, text)
			}
		case name != "" && value.Type() == timeType:
			r.Header.Set(name, timeOf(value).Format(http.TimeFormat))
		case name != "":
			r.Header.Set(name, scalarText(value))
		}
	}
}

func (c s3Codec) encodeError(failure *api.Error, requestID string) Response {
	w := &xmlWriter{}
	w.text.WriteString(xml.Header + "<Error>")
	for _, pair := range [][2]string{
		{"Code", failure.Code},
		{"Message", failure.Message},
		{"BucketName", c.bucket},
		{"Key", c.key},
		{"RequestId", requestID},
	} {
		if pair[1] != "" {
			w.element(pair[0], reflect.ValueOf(pair[1]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(failure.Details)) {
		w.element(name, reflect.ValueOf(failure.Details[name]))
	}
	w.text.WriteString("</Error>")
	response := Response{Status: failure.HTTPStatus(), Body: w.text.Bytes(), Header: http.Header{
		"Content-Type": {"application/xml"}, "X-Amz-Request-Id": {requestID},
	}}
	for name, value := range failure.Headers {
		response.Header.Set(name, value)
	}
	if c.head || failure.Status == http.StatusNotModified { // neither may carry a body
		response.Body = nil
		response.Header.Set("Content-Length", strconv.Itoa(0))
	}
	return response
}
