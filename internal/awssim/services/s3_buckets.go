package services

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/patchtide/patchtide/internal/awssim/api"
)

// firstRegion is the region that S3 names by no location constraint.
const firstRegion = "us-east-1"

const bucketsPage = 10000

func registerS3Buckets(r *api.Registry, s *objectStore) {
	api.Handle(
		r, "s3", "ListBuckets", []string{"MaxBuckets", "Prefix", "ContinuationToken", "BucketRegion"}, s.listBuckets,
	)
	api.Handle(r, "s3", "CreateBucket", []string{
		"Bucket", "CreateBucketConfiguration", "ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite",
		"GrantWriteACP",
	}, s.createBucket)
	api.Handle(r, "s3", "HeadBucket", s3Owner, s.headBucket)
	api.Handle(r, "s3", "DeleteBucket", s3Owner, s.deleteBucket)
	api.Handle(r, "s3", "GetBucketLocation", s3Owner, s.location)
}

// listBuckets lists the caller's own.
func (s *objectStore) listBuckets(call api.Call, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	if in.MaxBuckets != nil && (*in.MaxBuckets < 1 || *in.MaxBuckets > bucketsPage) {
		return nil, badRequest("InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000")
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		each := s.buckets[name]
		if each.account == call.Account && strings.HasPrefix(name, deref(in.Prefix)) &&
			(in.BucketRegion == nil || *in.BucketRegion == each.region) {
			names = append(names, name)
		}
	}
	names, next, err := page(names, in.ContinuationToken, in.MaxBuckets, bucketsPage, badContinuation)
	if err != nil {
		return nil, err
	}
	out := &s3.ListBucketsOutput{
		Buckets: []types.Bucket{}, ContinuationToken: next, Prefix: in.Prefix,
		Owner: &types.Owner{ID: ref(canonicalID(call.Account))},
	}
	// The region is in replies to requests with any of the parameters (API reference of ListBuckets).
	regions := in.MaxBuckets != nil || in.Prefix != nil || in.ContinuationToken != nil || in.BucketRegion != nil
	for _, name := range names {
		shown := types.Bucket{Name: &name, CreationDate: &s.buckets[name].created}
		if regions {
			shown.BucketRegion = &s.buckets[name].region
		}
		out.Buckets = append(out.Buckets, shown)
	}
	return out, nil
}

var badContinuation = badRequest("InvalidArgument", "The continuation token provided is incorrect")

func (s *objectStore) createBucket(call api.Call, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	name := *in.Bucket
	if !goodBucketName(name) {
		return nil, badRequest("InvalidBucketName", "The specified bucket is not valid.")
	}
	if err := checkLocation(call.Region, in.CreateBucketConfiguration); err != nil {
		return nil, err
	}
	granted := in.GrantFullControl != nil || in.GrantRead != nil || in.GrantReadACP != nil || in.GrantWrite != nil ||
		in.GrantWriteACP != nil
	if granted || in.ACL != "" && in.ACL != types.BucketCannedACLPrivate {
		// A bucket enforces its owner unless it is made otherwise (API reference of CreateBucket, ObjectOwnership).
		return nil, badRequest(
			"InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's "+
				"BucketOwnerEnforced setting",
		)
	}
	out := &s3.CreateBucketOutput{Location: ref("http://" + name + ".s3.amazonaws.com/")}
	if call.Region == firstRegion {
		out.Location = ref("/" + name)
	}
	switch old := s.buckets[name]; {
	case old != nil && old.account != call.Account:
		return nil, s3Error(
			http.StatusConflict, "BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please "+
				"select a different name and try again.",
		)
	case old != nil && old.region == firstRegion && call.Region == firstRegion:
		return out, nil // there, and only there, it is no error
	case old != nil:
		return nil, s3Error(
			http.StatusConflict, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.",
		)
	}
	s.buckets[name] = newBucket(name, call.Region, call.Account, call.Time)
	return out, nil
}

// bucketName and the lists are S3's rules ("General purpose bucket naming rules").
var (
	bucketName       = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	reservedPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	reservedSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
	accountID        = regexp.MustCompile(`^\d{12}$`)
)

func goodBucketName(name string) bool {
	begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	ends := func(suffix string) bool { return strings.HasSuffix(name, suffix) }
	return bucketName.MatchString(name) && !strings.Contains(name, "..") && net.ParseIP(name) == nil &&
		!slices.ContainsFunc(reservedPrefixes, begins) && !slices.ContainsFunc(reservedSuffixes, ends)
}

// checkLocation compares the body's location constraint with the endpoint's region: they must agree, and the first
// region is named by none.
func checkLocation(region string, configuration *types.CreateBucketConfiguration) error {
	constraint := types.BucketLocationConstraint("")
	if configuration != nil {
		if configuration.Bucket != nil || configuration.Location != nil || len(configuration.Tags) > 0 {
			return api.NotModelled("Bucket, Location or Tags of s3:CreateBucket's configuration")
		}
		constraint = configuration.LocationConstraint
	}
	if constraint == types.BucketLocationConstraintEu {
		constraint = types.BucketLocationConstraintEuWest1
	}
	switch {
	case constraint == "" && region == firstRegion, string(constraint) == region && region != firstRegion:
		return nil
	case constraint == "":
		return badRequest(
			"IllegalLocationConstraintException",
			"The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.",
		)
	case !slices.Contains(constraint.Values(), constraint):
		return badRequest("InvalidLocationConstraint", "The specified location-constraint is not valid")
	case region == firstRegion:
		// The global endpoint makes it there, the region's own refuses; the signature is the same at both.
		return api.NotModelled("a location constraint of s3:CreateBucket in " + firstRegion)
	}
	return badRequest("IllegalLocationConstraintException", fmt.Sprintf(
		"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", constraint,
	))
}

func (s *objectStore) headBucket(call api.Call, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if found != nil && err != nil { // the region is told even to those who may not use it (API reference of HeadBucket)
		return nil, &api.Error{
			Code: "AccessDenied", Message: "Access Denied", Status: http.StatusForbidden,
			Headers: map[string]string{"X-Amz-Bucket-Region": found.region},
		}
	}
	if err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{BucketRegion: &found.region, AccessPointAlias: ref(false)}, nil
}

func (s *objectStore) deleteBucket(call api.Call, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	found, err := s.bucket(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(found.objects) > 0 {
		return nil, s3Error(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	delete(s.buckets, found.name)
	maps.DeleteFunc(s.uploads, func(_ string, each *upload) bool { return each.bucket == found.name })
	return nil, nil
}

// location is told in every region (API reference of GetBucketLocation: "In other Regions, the bucket policy doesn't
// apply").
func (s *objectStore) location(call api.Call, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	found := s.buckets[*in.Bucket]
	if found == nil {
		return nil, noSuchBucket
	}
	if err := found.usable(call, "s3:GetBucketLocation", in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	if found.region == firstRegion {
		return &s3.GetBucketLocationOutput{}, nil
	}
	return &s3.GetBucketLocationOutput{LocationConstraint: types.BucketLocationConstraint(found.region)}, nil
}
