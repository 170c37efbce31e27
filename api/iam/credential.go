package iam

import (
	"context"

	"fargo/aws/iam"
)

// Access keys are the only credentials that users of Fargo can have. The
// operations that would make others are not implemented, so these, which
// clients ask before they delete a user, find none.

// userExists reports that a user is there, by the error that it is not.
func (s *Server) userExists(ctx context.Context, name *string) error {
	name, err := named(ctx, name)
	if err != nil {
		return err
	}
	_, err = user(s.db.View(), scopeOf(ctx), name)
	return err
}

// GetLoginProfile implements the operation of that name: there are no passwords.
func (s *Server) GetLoginProfile(ctx context.Context, in *iam.GetLoginProfileInput) (*iam.GetLoginProfileOutput, error) {
	name, err := named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return nil, missing("Login Profile for User %s cannot be found.", *name)
}

// DeleteLoginProfile implements the operation of that name: there are no
// passwords.
func (s *Server) DeleteLoginProfile(ctx context.Context, in *iam.DeleteLoginProfileInput) (*iam.DeleteLoginProfileOutput, error) {
	name, err := named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return nil, missing("Login Profile for User %s cannot be found.", *name)
}

// ListSSHPublicKeys implements the operation of that name.
func (s *Server) ListSSHPublicKeys(ctx context.Context, in *iam.ListSSHPublicKeysInput) (*iam.ListSSHPublicKeysOutput, error) {
	return &iam.ListSSHPublicKeysOutput{SSHPublicKeys: []iam.SSHPublicKeyMetadata{}, IsTruncated: new(false)}, s.userExists(ctx, in.UserName)
}

// ListMFADevices implements the operation of that name.
func (s *Server) ListMFADevices(ctx context.Context, in *iam.ListMFADevicesInput) (*iam.ListMFADevicesOutput, error) {
	return &iam.ListMFADevicesOutput{MFADevices: []iam.MFADevice{}, IsTruncated: new(false)}, s.userExists(ctx, in.UserName)
}

// ListVirtualMFADevices implements the operation of that name.
func (s *Server) ListVirtualMFADevices(context.Context, *iam.ListVirtualMFADevicesInput) (*iam.ListVirtualMFADevicesOutput, error) {
	return &iam.ListVirtualMFADevicesOutput{VirtualMFADevices: []iam.VirtualMFADevice{}, IsTruncated: new(false)}, nil
}

// ListSigningCertificates implements the operation of that name.
func (s *Server) ListSigningCertificates(ctx context.Context, in *iam.ListSigningCertificatesInput) (*iam.ListSigningCertificatesOutput, error) {
	return &iam.ListSigningCertificatesOutput{Certificates: []iam.SigningCertificate{}, IsTruncated: new(false)}, s.userExists(ctx, in.UserName)
}

// ListServiceSpecificCredentials implements the operation of that name.
func (s *Server) ListServiceSpecificCredentials(ctx context.Context, in *iam.ListServiceSpecificCredentialsInput) (*iam.ListServiceSpecificCredentialsOutput, error) {
	return &iam.ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: []iam.ServiceSpecificCredentialMetadata{}}, s.userExists(ctx, in.UserName)
}

// ListAccountAliases implements the operation of that name: accounts have no
// other names.
func (s *Server) ListAccountAliases(context.Context, *iam.ListAccountAliasesInput) (*iam.ListAccountAliasesOutput, error) {
	return &iam.ListAccountAliasesOutput{AccountAliases: []string{}, IsTruncated: new(false)}, nil
}
