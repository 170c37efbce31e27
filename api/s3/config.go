package s3

import (
	"context"
	"encoding/json"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/policy"
	"fargo/record"
)

// notConfigured is the answer for a part of a bucket's configuration that there is not.
func notConfigured(b *record.Bucket, e *protocol.Error) error {
	return e.WithStatus(404).WithField("BucketName", b.Name)
}

func blockAll() *s3.PublicAccessBlockConfiguration {
	return &s3.PublicAccessBlockConfiguration{BlockPublicAcls: new(true), IgnorePublicAcls: new(true), BlockPublicPolicy: new(true), RestrictPublicBuckets: new(true)}
}

// GetPublicAccessBlock shows what is kept from the public, which is everything anyhow.
func (s *Server) GetPublicAccessBlock(ctx context.Context, in *s3.GetPublicAccessBlockInput) (*s3.GetPublicAccessBlockOutput, error) {
	b, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.PublicAccessBlock == nil {
		return nil, notConfigured(b, protocol.Errorf("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"))
	}
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: b.PublicAccessBlock}, nil
}

// PutPublicAccessBlock keeps the configuration.
func (s *Server) PutPublicAccessBlock(ctx context.Context, in *s3.PutPublicAccessBlockInput) (*s3.PutPublicAccessBlockOutput, error) {
	given := in.PublicAccessBlockConfiguration
	kept := &s3.PublicAccessBlockConfiguration{
		BlockPublicAcls: new(aws.Value(given.BlockPublicAcls)), IgnorePublicAcls: new(aws.Value(given.IgnorePublicAcls)),
		BlockPublicPolicy: new(aws.Value(given.BlockPublicPolicy)), RestrictPublicBuckets: new(aws.Value(given.RestrictPublicBuckets)),
	}
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.PublicAccessBlock = kept })
	return &s3.PutPublicAccessBlockOutput{}, err
}

// DeletePublicAccessBlock removes the configuration.
func (s *Server) DeletePublicAccessBlock(ctx context.Context, in *s3.DeletePublicAccessBlockInput) (*s3.DeletePublicAccessBlockOutput, error) {
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.PublicAccessBlock = nil })
	return &s3.DeletePublicAccessBlockOutput{}, err
}

// GetBucketOwnershipControls shows that the bucket owns all objects.
func (s *Server) GetBucketOwnershipControls(ctx context.Context, in *s3.GetBucketOwnershipControlsInput) (*s3.GetBucketOwnershipControlsOutput, error) {
	b, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.NoOwnershipControls {
		return nil, notConfigured(b, protocol.Errorf("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"))
	}
	return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: &s3.OwnershipControls{
		Rules: []s3.OwnershipControlsRule{{ObjectOwnership: s3.ObjectOwnershipBucketOwnerEnforced}},
	}}, nil
}

// PutBucketOwnershipControls takes BucketOwnerEnforced, which is how it is.
func (s *Server) PutBucketOwnershipControls(ctx context.Context, in *s3.PutBucketOwnershipControlsInput) (*s3.PutBucketOwnershipControlsOutput, error) {
	for _, r := range in.OwnershipControls.Rules {
		if r.ObjectOwnership != s3.ObjectOwnershipBucketOwnerEnforced {
			return nil, notImplemented("an ObjectOwnership other than BucketOwnerEnforced")
		}
	}
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.NoOwnershipControls = false })
	return &s3.PutBucketOwnershipControlsOutput{}, err
}

// DeleteBucketOwnershipControls removes what is shown of them.
func (s *Server) DeleteBucketOwnershipControls(ctx context.Context, in *s3.DeleteBucketOwnershipControlsInput) (*s3.DeleteBucketOwnershipControlsOutput, error) {
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.NoOwnershipControls = true })
	return &s3.DeleteBucketOwnershipControlsOutput{}, err
}

// GetBucketEncryption shows AES256, as S3 does of every bucket.
func (s *Server) GetBucketEncryption(ctx context.Context, in *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error) {
	b, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &s3.ServerSideEncryptionConfiguration{
		Rules: []s3.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &s3.ServerSideEncryptionByDefault{SSEAlgorithm: s3.ServerSideEncryptionAes256},
			BucketKeyEnabled:                   new(b.BucketKey),
		}},
	}}, nil
}

// PutBucketEncryption takes AES256.
func (s *Server) PutBucketEncryption(ctx context.Context, in *s3.PutBucketEncryptionInput) (*s3.PutBucketEncryptionOutput, error) {
	bucketKey := false
	for _, r := range in.ServerSideEncryptionConfiguration.Rules {
		if d := r.ApplyServerSideEncryptionByDefault; d != nil && d.SSEAlgorithm != s3.ServerSideEncryptionAes256 {
			return nil, notImplemented("encryption of buckets with keys of KMS (SSEAlgorithm)")
		}
		if r.BlockedEncryptionTypes != nil {
			return nil, notImplemented("BlockedEncryptionTypes")
		}
		bucketKey = aws.Value(r.BucketKeyEnabled)
	}
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.BucketKey = bucketKey })
	return &s3.PutBucketEncryptionOutput{}, err
}

// DeleteBucketEncryption goes back to what every bucket has.
func (s *Server) DeleteBucketEncryption(ctx context.Context, in *s3.DeleteBucketEncryptionInput) (*s3.DeleteBucketEncryptionOutput, error) {
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.BucketKey = false })
	return &s3.DeleteBucketEncryptionOutput{}, err
}

// GetBucketPolicy shows the policy as it was written.
func (s *Server) GetBucketPolicy(ctx context.Context, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	b, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.Policy == "" {
		return nil, notConfigured(b, protocol.Errorf("NoSuchBucketPolicy", "The bucket policy does not exist"))
	}
	api.CallFrom(ctx).SetHeader("Content-Type", "application/json")
	return &s3.GetBucketPolicyOutput{Policy: &b.Policy}, nil
}

const maxPolicy = 20 << 10 // bytes

// PutBucketPolicy keeps a policy.
func (s *Server) PutBucketPolicy(ctx context.Context, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	switch _, err := policy.Parse(*in.Policy); {
	case len(*in.Policy) > maxPolicy:
		return nil, protocol.Errorf("PolicyTooLarge", "Bucket policies are limited to 20KB in size")
	case !json.Valid([]byte(*in.Policy)):
		return nil, protocol.Errorf("MalformedPolicy", "This policy contains invalid Json")
	case err != nil:
		return nil, protocol.Errorf("MalformedPolicy", "Policy has invalid syntax: %v", err)
	}
	api.CallFrom(ctx).Reply.Status = 204
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.Policy = *in.Policy })
	return &s3.PutBucketPolicyOutput{}, err
}

// DeleteBucketPolicy removes the policy.
func (s *Server) DeleteBucketPolicy(ctx context.Context, in *s3.DeleteBucketPolicyInput) (*s3.DeleteBucketPolicyOutput, error) {
	err := s.changeBucket(ctx, in.Bucket, func(b *record.Bucket) { b.Policy = "" })
	return &s3.DeleteBucketPolicyOutput{}, err
}

func grants(account string) []s3.Grant {
	return []s3.Grant{{Grantee: &s3.Grantee{ID: ownerID(account), Type: s3.TypeCanonicalUser}, Permission: s3.PermissionFullControl}}
}

// GetBucketAcl shows that the owner may do everything.
func (s *Server) GetBucketAcl(ctx context.Context, in *s3.GetBucketAclInput) (*s3.GetBucketAclOutput, error) {
	b, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketAclOutput{Owner: owner(b.Scope.Account), Grants: grants(b.Scope.Account)}, nil
}

// GetObjectAcl shows the same of an object.
func (s *Server) GetObjectAcl(ctx context.Context, in *s3.GetObjectAclInput) (*s3.GetObjectAclOutput, error) {
	if _, err := s.object(ctx, s.DB.View(), in.Bucket, in.Key); err != nil {
		return nil, err
	}
	account := api.CallFrom(ctx).Account
	return &s3.GetObjectAclOutput{Owner: owner(account), Grants: grants(account)}, nil
}

// PutBucketAcl refuses all ACLs but the one that changes nothing.
func (s *Server) PutBucketAcl(ctx context.Context, in *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error) {
	_, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	return &s3.PutBucketAclOutput{}, err
}

// PutObjectAcl refuses all ACLs but those that change nothing.
func (s *Server) PutObjectAcl(ctx context.Context, in *s3.PutObjectAclInput) (*s3.PutObjectAclOutput, error) {
	_, err := s.object(ctx, s.DB.View(), in.Bucket, in.Key)
	return &s3.PutObjectAclOutput{}, err
}

// GetBucketVersioning shows that there are no versions.
func (s *Server) GetBucketVersioning(ctx context.Context, in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	_, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	return &s3.GetBucketVersioningOutput{}, err
}

// PutBucketVersioning refuses to keep versions.
func (s *Server) PutBucketVersioning(ctx context.Context, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	if _, err := s.bucket(ctx, s.DB.View(), in.Bucket); err != nil {
		return nil, err
	}
	return nil, notImplemented("versions of objects (PutBucketVersioning)")
}

// GetBucketAccelerateConfiguration shows nothing.
func (s *Server) GetBucketAccelerateConfiguration(ctx context.Context, in *s3.GetBucketAccelerateConfigurationInput) (*s3.GetBucketAccelerateConfigurationOutput, error) {
	_, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	return &s3.GetBucketAccelerateConfigurationOutput{}, err
}

// GetBucketRequestPayment shows that the owner pays.
func (s *Server) GetBucketRequestPayment(ctx context.Context, in *s3.GetBucketRequestPaymentInput) (*s3.GetBucketRequestPaymentOutput, error) {
	_, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	return &s3.GetBucketRequestPaymentOutput{Payer: s3.PayerBucketOwner}, err
}

// GetBucketLogging shows that nothing is logged.
func (s *Server) GetBucketLogging(ctx context.Context, in *s3.GetBucketLoggingInput) (*s3.GetBucketLoggingOutput, error) {
	_, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	return &s3.GetBucketLoggingOutput{}, err
}

// GetBucketNotificationConfiguration shows that nobody is notified.
func (s *Server) GetBucketNotificationConfiguration(ctx context.Context, in *s3.GetBucketNotificationConfigurationInput) (*s3.GetBucketNotificationConfigurationOutput, error) {
	_, err := s.bucket(ctx, s.DB.View(), in.Bucket)
	return &s3.GetBucketNotificationConfigurationOutput{}, err
}

// absent is the answer for configuration that no bucket has.
func (s *Server) absent(ctx context.Context, name *string, e *protocol.Error) error {
	b, err := s.bucket(ctx, s.DB.View(), name)
	if err != nil {
		return err
	}
	return notConfigured(b, e)
}

// GetBucketCors says that there is none.
func (s *Server) GetBucketCors(ctx context.Context, in *s3.GetBucketCorsInput) (*s3.GetBucketCorsOutput, error) {
	return nil, s.absent(ctx, in.Bucket, protocol.Errorf("NoSuchCORSConfiguration", "The CORS configuration does not exist"))
}

// GetBucketWebsite says that there is none.
func (s *Server) GetBucketWebsite(ctx context.Context, in *s3.GetBucketWebsiteInput) (*s3.GetBucketWebsiteOutput, error) {
	return nil, s.absent(ctx, in.Bucket, protocol.Errorf("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"))
}

// GetBucketLifecycleConfiguration says that there is none.
func (s *Server) GetBucketLifecycleConfiguration(ctx context.Context, in *s3.GetBucketLifecycleConfigurationInput) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	return nil, s.absent(ctx, in.Bucket, protocol.Errorf("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"))
}

// GetBucketReplication says that there is none.
func (s *Server) GetBucketReplication(ctx context.Context, in *s3.GetBucketReplicationInput) (*s3.GetBucketReplicationOutput, error) {
	return nil, s.absent(ctx, in.Bucket, protocol.Errorf("ReplicationConfigurationNotFoundError", "The replication configuration was not found"))
}

// GetObjectLockConfiguration says that there is none.
func (s *Server) GetObjectLockConfiguration(ctx context.Context, in *s3.GetObjectLockConfigurationInput) (*s3.GetObjectLockConfigurationOutput, error) {
	return nil, s.absent(ctx, in.Bucket, protocol.Errorf("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"))
}
