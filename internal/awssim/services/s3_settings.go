package services

import (
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/world"
)

const bucketARN = "arn:aws:s3:::"

// bucketOwnersOnly are operations that no policy opens to other accounts (API references of them: "must belong to the
// bucket owner's account").
var bucketOwnersOnly = []string{"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicyStatus"}

// registerS3Settings registers what clients read and set of a bucket as a whole.
func registerS3Settings(r *api.Registry, s *objectStore) {
	api.Handle(r, "s3", "GetBucketPolicy", s3Owner, s.getPolicy)
	api.Handle(
		r, "s3", "PutBucketPolicy", fields(s3Owner, []string{"Policy", "ContentMD5", "ChecksumAlgorithm"}), s.putPolicy,
	)
	api.Handle(r, "s3", "DeleteBucketPolicy", s3Owner, s.deletePolicy)
	api.Handle(r, "s3", "GetBucketPolicyStatus", s3Owner, s.policyStatus)
	api.Handle(r, "s3", "GetPublicAccessBlock", s3Owner, s.getExposure)
	api.Handle(r, "s3", "PutPublicAccessBlock", fields(
		s3Owner, []string{"PublicAccessBlockConfiguration", "ContentMD5", "ChecksumAlgorithm"},
	), s.putExposure)
	api.Handle(r, "s3", "DeletePublicAccessBlock", s3Owner, s.deleteExposure)
	api.Handle(r, "s3", "GetBucketEncryption", s3Owner, s.getEncryption)
	api.Handle(r, "s3", "PutBucketEncryption", fields(
		s3Owner, []string{"ServerSideEncryptionConfiguration", "ContentMD5", "ChecksumAlgorithm"},
	), s.putEncryption)
	api.Handle(r, "s3", "DeleteBucketEncryption", s3Owner, s.deleteEncryption)
	api.Handle(r, "s3", "GetBucketVersioning", s3Owner, s.versioning)
	api.Handle(r, "s3", "GetBucketOwnershipControls", s3Owner, s.ownership)
	api.Handle(r, "s3", "GetBucketRequestPayment", s3Owner, s.payment)
	api.Handle(r, "s3", "GetBucketLogging", s3Owner, s.logging)
}

// grants tells what the policy of a bucket says, for a caller of its own account whom no policy of IAM allows.
func (s *objectStore) grants(who world.Asker, ask world.Ask) world.Verdict {
	for _, each := range s.buckets {
		own := each.account == who.Account
		if own && (ask.Resource == bucketARN+each.name || world.Matches(bucketARN+each.name+"/*", ask.Resource)) {
			return each.policy.Decide(who, ask)
		}
	}
	return world.NotAllowed
}

// closed reports whether other accounts are kept out whatever the policy says: a public one is then for the bucket's
// own account only (S3 guide, "Blocking public access", RestrictPublicBuckets).
func (b *bucket) closed() bool {
	return deref(b.exposure.RestrictPublicBuckets) && b.policy != nil && b.policy.Public()
}

func (s *objectStore) getPolicy(call api.Call, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if found.policy == nil {
		return nil, noBucketPolicy
	}
	return &s3.GetBucketPolicyOutput{Policy: &found.policy.Text}, nil
}

var noBucketPolicy = s3Error(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")

func (s *objectStore) putPolicy(call api.Call, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	wrong := badRequest("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	policy, err := setPolicy(deref(in.Policy), wrong)
	switch {
	case err != nil:
		return nil, err
	case policy == nil:
		return nil, wrong
	case !policy.About(bucketARN + found.name):
		return nil, badRequest("MalformedPolicy", "Policy has invalid resource")
	case deref(found.exposure.BlockPublicPolicy) && policy.Public():
		return nil, s3Error(http.StatusForbidden, "AccessDenied", "User: "+call.Caller+" is not authorized to perform: "+
			"s3:PutBucketPolicy on resource: \""+bucketARN+found.name+"\" because public policies are prevented by the "+
			"BlockPublicPolicy setting in S3 Block Public Access.")
	}
	found.policy = policy
	return nil, nil
}

func (s *objectStore) deletePolicy(
	call api.Call, in *s3.DeleteBucketPolicyInput,
) (*s3.DeleteBucketPolicyOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		found.policy = nil
	}
	return nil, err
}

func (s *objectStore) policyStatus(
	call api.Call, in *s3.GetBucketPolicyStatusInput,
) (*s3.GetBucketPolicyStatusOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	switch {
	case err != nil:
		return nil, err
	case found.policy == nil:
		return nil, noBucketPolicy
	}
	return &s3.GetBucketPolicyStatusOutput{PolicyStatus: &types.PolicyStatus{IsPublic: ref(found.policy.Public())}}, nil
}

func (s *objectStore) getExposure(
	call api.Call, in *s3.GetPublicAccessBlockInput,
) (*s3.GetPublicAccessBlockOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	switch {
	case err != nil:
		return nil, err
	case found.exposure.BlockPublicAcls == nil:
		return nil, s3Error(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration",
			"The public access block configuration was not found")
	}
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: ref(found.exposure)}, nil
}

func (s *objectStore) putExposure(
	call api.Call, in *s3.PutPublicAccessBlockInput,
) (*s3.PutPublicAccessBlockOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	wanted := deref(in.PublicAccessBlockConfiguration)
	for _, setting := range []**bool{
		&wanted.BlockPublicAcls, &wanted.IgnorePublicAcls, &wanted.BlockPublicPolicy, &wanted.RestrictPublicBuckets,
	} {
		*setting = ref(deref(*setting))
	}
	found.exposure = wanted
	return nil, nil
}

func (s *objectStore) deleteExposure(
	call api.Call, in *s3.DeletePublicAccessBlockInput,
) (*s3.DeletePublicAccessBlockOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		found.exposure = types.PublicAccessBlockConfiguration{}
	}
	return nil, err
}

func (s *objectStore) getEncryption(
	call api.Call, in *s3.GetBucketEncryptionInput,
) (*s3.GetBucketEncryptionOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{found.rule},
	}}, nil
}

func (s *objectStore) putEncryption(
	call api.Call, in *s3.PutBucketEncryptionInput,
) (*s3.PutBucketEncryptionOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	rules := deref(in.ServerSideEncryptionConfiguration).Rules
	if len(rules) != 1 || rules[0].ApplyServerSideEncryptionByDefault == nil {
		return nil, badRequest("MalformedXML", "The XML you provided was not well-formed or did not validate against our "+
			"published schema")
	}
	rule, usual := rules[0], rules[0].ApplyServerSideEncryptionByDefault
	switch {
	case !slices.Contains(usual.SSEAlgorithm.Values(), usual.SSEAlgorithm):
		return nil, badRequest("MalformedXML", "The XML you provided was not well-formed or did not validate against our "+
			"published schema")
	case usual.SSEAlgorithm == types.ServerSideEncryptionAes256 && usual.KMSMasterKeyID != nil:
		return nil, badRequest("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not "+
			"aws:kms or aws:kms:dsse")
	}
	if rule.BlockedEncryptionTypes != nil {
		return nil, api.NotModelled("BlockedEncryptionTypes of s3:PutBucketEncryption")
	}
	rule.BucketKeyEnabled = ref(deref(rule.BucketKeyEnabled))
	found.rule = rule
	return nil, nil
}

func (s *objectStore) deleteEncryption(
	call api.Call, in *s3.DeleteBucketEncryptionInput,
) (*s3.DeleteBucketEncryptionOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		found.rule = usualEncryption()
	}
	return nil, err
}

// versioning tells nothing of a bucket that never had versions (API reference of GetBucketVersioning). They cannot be
// enabled here.
func (s *objectStore) versioning(
	call api.Call, in *s3.GetBucketVersioningInput,
) (*s3.GetBucketVersioningOutput, error) {
	_, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	return nil, err
}

func (s *objectStore) ownership(
	call api.Call, in *s3.GetBucketOwnershipControlsInput,
) (*s3.GetBucketOwnershipControlsOutput, error) {
	_, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: &types.OwnershipControls{
		Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}},
	}}, err
}

func (s *objectStore) payment(
	call api.Call, in *s3.GetBucketRequestPaymentInput,
) (*s3.GetBucketRequestPaymentOutput, error) {
	_, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	return &s3.GetBucketRequestPaymentOutput{Payer: types.PayerBucketOwner}, err
}

// logging tells of no log: none can be made here.
func (s *objectStore) logging(call api.Call, in *s3.GetBucketLoggingInput) (*s3.GetBucketLoggingOutput, error) {
	_, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	return nil, err
}
