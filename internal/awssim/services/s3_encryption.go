package services

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/digest"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

// customerKeySize is that of AES-256, the only algorithm for customers' keys.
const customerKeySize = 32

// usualEncryption is that of a bucket of which nothing else was said: with S3's own keys, as every object is (S3 guide,
// "Protecting data with encryption").
func usualEncryption() types.ServerSideEncryptionRule {
	return types.ServerSideEncryptionRule{
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
			SSEAlgorithm: types.ServerSideEncryptionAes256,
		},
		BucketKeyEnabled: ref(false),
	}
}

// encrypt says how an object is encrypted: as asked, or as its bucket has it.
func (s *objectStore) encrypt(call api.Call, into *bucket, a *attributes, wish wishes) error {
	if usual := into.rule.ApplyServerSideEncryptionByDefault; a.ServerSideEncryption == "" && !wish.secret() &&
		a.SSEKMSKeyId == nil {
		a.ServerSideEncryption, a.SSEKMSKeyId = usual.SSEAlgorithm, usual.KMSMasterKeyID
	}
	kms := a.ServerSideEncryption == types.ServerSideEncryptionAwsKms ||
		a.ServerSideEncryption == types.ServerSideEncryptionAwsKmsDsse
	switch {
	case wish.secret() && a.ServerSideEncryption != "":
		return badRequest(
			"InvalidArgument", "Server Side Encryption with Customer provided key is incompatible with the encryption method "+
				"specified",
		)
	case wish.secret():
		return wish.checkSecret()
	case a.ServerSideEncryption != "" && a.ServerSideEncryption != types.ServerSideEncryptionAes256 && !kms:
		return badRequest("InvalidArgument", "The encryption method specified is not supported")
	case a.SSEKMSKeyId != nil && !kms:
		return badRequest(
			"InvalidArgument", "Server Side Encryption with AWS KMS managed key requires HTTP header "+
				"x-amz-server-side-encryption : aws:kms",
		)
	case kms:
		return s.kmsKey(regionOf(s.w, call), call, a)
	}
	a.ServerSideEncryption = types.ServerSideEncryptionAes256
	return nil
}

// kmsKey finds the key of an object under aws:kms; without one it is AWS's own for S3.
func (s *objectStore) kmsKey(region *world.Region, call api.Call, a *attributes) error {
	if a.SSEKMSKeyId == nil {
		a.SSEKMSKeyId = ref(region.ARN("kms", "key/00000000-0000-4000-8000-000000000053"))
		return nil
	}
	key := region.Key(*a.SSEKMSKeyId)
	foreign := strings.HasPrefix(*a.SSEKMSKeyId, "arn:") && !strings.HasPrefix(*a.SSEKMSKeyId, region.ARN("kms", ""))
	switch {
	case key == nil && foreign:
		return s3Error(
			http.StatusForbidden, "AccessDenied", "User: "+call.Caller+" is not authorized to perform: "+
				"kms:GenerateDataKey on resource: "+*a.SSEKMSKeyId,
		)
	case key == nil:
		return badRequest("KMS.NotFoundException", "Key '"+*a.SSEKMSKeyId+"' does not exist")
	case !key.Serves("s3"):
		return s3Error(
			http.StatusForbidden, "AccessDenied", "User: "+call.Caller+" is not authorized to perform: "+
				"kms:GenerateDataKey on resource: "+key.ARN+" because no resource-based policy allows it",
		)
	case key.State == "Disabled":
		return badRequest("KMS.DisabledException", key.ARN+" is disabled.")
	case key.State != "Enabled":
		return badRequest("KMS.KMSInvalidStateException", key.ARN+" is "+key.State+".")
	case key.MAC:
		return badRequest("KMS.InvalidKeyUsageException", key.ARN+" key usage is not valid for GenerateDataKey.")
	}
	a.SSEKMSKeyId = &key.ARN
	return nil
}

func (w wishes) secret() bool {
	return w.SSECustomerAlgorithm != nil || w.SSECustomerKey != nil || w.SSECustomerKeyMD5 != nil
}

// checkSecret checks a customer's key. S3 keeps its MD5 and not the key.
func (w wishes) checkSecret() error {
	key, err := base64.StdEncoding.DecodeString(deref(w.SSECustomerKey))
	sum := md5.Sum(key)
	switch {
	case deref(w.SSECustomerAlgorithm) != "AES256":
		return badRequest("InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported "+
			"value: AES256.")
	case err != nil || len(key) != customerKeySize:
		return badRequest("InvalidArgument", "The secret key was invalid for the specified algorithm.")
	case deref(w.SSECustomerKeyMD5) != base64.StdEncoding.EncodeToString(sum[:]):
		return badRequest("InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	return nil
}

// opens refuses a read without the key that the object was put with, or with one that it does not need.
func (o *object) opens(w wishes) error {
	switch {
	case o.SSECustomerKeyMD5 == nil && w.secret():
		return badRequest("InvalidRequest", "The encryption parameters are not applicable to this object.")
	case o.SSECustomerKeyMD5 == nil:
		return nil
	case !w.secret():
		return badRequest("InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct "+
			"parameters must be provided to retrieve the object.")
	}
	if err := w.checkSecret(); err != nil {
		return err
	}
	if *w.SSECustomerKeyMD5 != *o.SSECustomerKeyMD5 {
		return accessDenied
	}
	return nil
}

// tag is the ETag: a body's MD5, and something else where KMS or a customer's key encrypts it (API reference, Object).
func (o *object) tag() string {
	body := o.body
	if o.ServerSideEncryption != types.ServerSideEncryptionAes256 {
		body = slices.Concat([]byte("encrypted "), body)
	}
	sum := md5.Sum(body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// defaultChecksum is the one that S3 makes where none was given.
const defaultChecksum = "CRC64NVME"

// sum gives an object a checksum that came without one.
func (o *object) sum() {
	if o.algorithm() == "" {
		o.setSum(defaultChecksum, digest.Text(defaultChecksum, o.body))
	}
	if o.ChecksumType == "" {
		o.ChecksumType = types.ChecksumTypeFullObject
	}
}

func (a *attributes) setSum(algorithm, text string) { setChecksum(a, algorithm, text) }

// algorithm is that of an object's checksum.
func (a *attributes) algorithm() string {
	algorithm, _ := checksumOf(a)
	return algorithm
}

func (a *attributes) clearSums() {
	for _, algorithm := range digest.Algorithms {
		reflect.ValueOf(a).Elem().FieldByName("Checksum" + algorithm).SetZero()
	}
	a.ChecksumType = ""
}

// setChecksum sets one of the fields ChecksumCRC32, ChecksumSHA256 and so on.
func setChecksum(of any, algorithm, text string) {
	reflect.ValueOf(of).Elem().FieldByName("Checksum" + algorithm).Set(reflect.ValueOf(&text))
}

// checksumOf finds the one that is set.
func checksumOf(of any) (algorithm, text string) {
	for _, algorithm := range digest.Algorithms {
		field := reflect.ValueOf(of).Elem().FieldByName("Checksum" + algorithm)
		if field.IsValid() && !field.IsNil() {
			return algorithm, field.Elem().String()
		}
	}
	return "", ""
}
