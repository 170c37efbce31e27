package s3

import (
	"context"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// CreateBucket makes a bucket. Its name must be free in all accounts.
func (s *Server) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	if err := checkBucket(in); err != nil {
		return nil, err
	}
	call := api.CallFrom(ctx)
	region, err := bucketRegion(call.Region, in.CreateBucketConfiguration)
	if err != nil {
		return nil, err
	}
	b := &record.Bucket{
		Name: *in.Bucket, Scope: fargo.Scope{Account: call.Account, Region: region}, Created: now(), PublicAccessBlock: blockAll(),
	}
	if c := in.CreateBucketConfiguration; c != nil {
		if err := bucketTags.Check(c.Tags); err != nil {
			return nil, err
		}
		b.Tags = c.Tags
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		old, taken := store.Buckets.Get(tx, b.Name)
		switch {
		case taken:
			return alreadyThere(old, b)
		case plan.IsLayerBucket(b.Name):
			return nameTaken(b.Name)
		}
		store.Buckets.Put(tx, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	location := "/" + b.Name
	if region != fargo.DefaultRegion {
		location = "http://" + b.Name + ".s3.amazonaws.com/"
	}
	return &s3.CreateBucketOutput{Location: &location}, nil
}

func checkBucket(in *s3.CreateBucketInput) error {
	if !validBucket(*in.Bucket) {
		return protocol.Errorf("InvalidBucketName", "The specified bucket is not valid.").WithField("BucketName", *in.Bucket)
	}
	switch {
	case aws.Value(in.ObjectLockEnabledForBucket):
		return notImplemented("Object Lock (x-amz-bucket-object-lock-enabled)")
	case in.ObjectOwnership != "" && in.ObjectOwnership != s3.ObjectOwnershipBucketOwnerEnforced:
		return notImplemented("x-amz-object-ownership other than BucketOwnerEnforced")
	case in.BucketNamespace != "" && in.BucketNamespace != s3.BucketNamespaceGlobal:
		return notImplemented("x-amz-bucket-namespace other than global")
	}
	if c := in.CreateBucketConfiguration; c != nil && (c.Location != nil || c.Bucket != nil) {
		return notImplemented("directory buckets (CreateBucketConfiguration.Location, Bucket)")
	}
	return nil
}

var bucketName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

// reservedNames are beginnings and endings that names of buckets may not have.
// Source: S3 user guide, "General purpose bucket naming rules".
var reservedNames = struct{ begin, end []string }{
	[]string{"xn--", "sthree-", "amzn-s3-demo-"}, []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"},
}

func validBucket(name string) bool {
	if len(name) < 3 || len(name) > maxBucketName || !bucketName.MatchString(name) {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	return !slices.ContainsFunc(reservedNames.begin, func(s string) bool { return strings.HasPrefix(name, s) }) &&
		!slices.ContainsFunc(reservedNames.end, func(s string) bool { return strings.HasSuffix(name, s) })
}

// bucketRegion is where a bucket is made by a request to a region: there, but that
// requests to us-east-1 may name any other.
func bucketRegion(asked string, c *s3.CreateBucketConfiguration) (string, error) {
	constraint := ""
	if c != nil {
		constraint = string(c.LocationConstraint)
	}
	if constraint == string(s3.BucketLocationConstraintEu) {
		constraint = "eu-west-1"
	}
	switch {
	case asked == fargo.DefaultRegion && constraint == "", constraint == asked:
		return asked, nil
	case asked == fargo.DefaultRegion:
		return constraint, nil
	case constraint == "":
		constraint = "unspecified"
	}
	return "", protocol.Errorf("IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", constraint)
}

func nameTaken(name string) error {
	return s3.BucketAlreadyExists("The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.").WithField("BucketName", name)
}

// alreadyThere is the answer to creating a bucket that there is: in us-east-1 one may
// create one's own again.
func alreadyThere(old, b *record.Bucket) error {
	switch {
	case old.Scope.Account != b.Scope.Account:
		return nameTaken(b.Name)
	case old.Scope == b.Scope && old.Scope.Region == fargo.DefaultRegion:
		return nil
	}
	return s3.BucketAlreadyOwnedByYou("Your previous request to create the named bucket succeeded and you already own it.").WithField("BucketName", b.Name)
}

// DeleteBucket deletes a bucket without objects, with the uploads that are under way.
func (s *Server) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	var gone []record.Blob
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		b, err := s.bucket(ctx, tx, in.Bucket)
		if err != nil {
			return err
		}
		for range store.Objects.Prefix(tx, record.ObjectKey(b.Name, "")) {
			return protocol.Errorf("BucketNotEmpty", "The bucket you tried to delete is not empty").WithStatus(http.StatusConflict).WithField("BucketName", b.Name)
		}
		gone = nil
		for u := range store.ObjectUploads.Prefix(tx, record.ObjectKey(b.Name, "")) {
			gone = append(gone, deleteUpload(tx, u)...)
		}
		store.Buckets.Delete(tx, b.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.Contents.Remove(gone...)
	return &s3.DeleteBucketOutput{}, nil
}

// HeadBucket says whether there is a bucket that the caller may use.
func (s *Server) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	b, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	if err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{BucketRegion: &b.Scope.Region, AccessPointAlias: new(false)}, nil
}

// GetBucketLocation says in which region a bucket is; us-east-1 is nothing.
func (s *Server) GetBucketLocation(ctx context.Context, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	b, ok := store.Buckets.Get(s.DB.View(), *in.Bucket)
	switch {
	case !ok:
		return nil, noSuchBucket(*in.Bucket)
	case b.Scope.Account != api.CallFrom(ctx).Account:
		return nil, accessDenied()
	case b.Scope.Region == fargo.DefaultRegion:
		return &s3.GetBucketLocationOutput{}, nil
	}
	return &s3.GetBucketLocationOutput{LocationConstraint: s3.BucketLocationConstraint(b.Scope.Region)}, nil
}

const mostBuckets = 10_000

// ListBuckets lists the buckets of the account, of all regions.
func (s *Server) ListBuckets(ctx context.Context, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	account := api.CallFrom(ctx).Account
	after, err := openToken("continuation-token", in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	most := int(aws.ValueOr(in.MaxBuckets, mostBuckets))
	out := &s3.ListBucketsOutput{Owner: owner(account), Buckets: []s3.Bucket{}, Prefix: in.Prefix}
	for b := range store.Buckets.By(s.DB.View(), "account", account) {
		if b.Name <= after || !strings.HasPrefix(b.Name, aws.Value(in.Prefix)) || in.BucketRegion != nil && *in.BucketRegion != b.Scope.Region {
			continue
		}
		if len(out.Buckets) == most {
			out.ContinuationToken = sealToken(*out.Buckets[most-1].Name)
			break
		}
		out.Buckets = append(out.Buckets, s3.Bucket{Name: &b.Name, CreationDate: &b.Created, BucketRegion: &b.Scope.Region, BucketArn: new(b.ARN())})
	}
	return out, nil
}
