package iam

import (
	"context"
	"slices"
	"strconv"

	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// maxVersions is how many versions a managed policy keeps.
const maxVersions = 5

// version finds the place of a version among a policy's.
func version(p *record.Policy, id *string) (int, error) {
	at := slices.IndexFunc(p.Versions, func(v iam.PolicyVersion) bool { return *v.VersionId == *id })
	if at < 0 {
		return at, missing("Policy %s version %s does not exist or is not attachable.", *p.Policy.Arn, *id)
	}
	return at, nil
}

// shownVersion is a version as answers carry it, with its document or without.
func shownVersion(p *record.Policy, v iam.PolicyVersion, document bool) iam.PolicyVersion {
	v.IsDefaultVersion = new(*v.VersionId == *p.Policy.DefaultVersionId)
	if document {
		v.Document = encoded(*v.Document)
	} else {
		v.Document = nil
	}
	return v
}

// CreatePolicyVersion implements the operation of that name.
func (s *Server) CreatePolicyVersion(ctx context.Context, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	var made iam.PolicyVersion
	err := s.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *record.Policy) error {
		if len(p.Versions) >= maxVersions {
			return iam.LimitExceededException("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		p.Latest++
		v := iam.PolicyVersion{VersionId: new("v" + strconv.Itoa(p.Latest)), Document: in.PolicyDocument, CreateDate: now()}
		p.Versions = append(slices.Clone(p.Versions), v)
		p.Policy.UpdateDate = v.CreateDate
		if in.SetAsDefault != nil && *in.SetAsDefault {
			p.Policy.DefaultVersionId = v.VersionId
		}
		made = shownVersion(p, v, false)
		return nil
	})
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &made}, err
}

// GetPolicyVersion implements the operation of that name.
func (s *Server) GetPolicyVersion(ctx context.Context, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	p, err := managed(s.db.View(), scopeOf(ctx), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	at, err := version(p, in.VersionId)
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: new(shownVersion(p, p.Versions[at], true))}, nil
}

// ListPolicyVersions implements the operation of that name. The newest comes
// first, and five fit on any page.
func (s *Server) ListPolicyVersions(ctx context.Context, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	p, err := managed(s.db.View(), scopeOf(ctx), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	versions := []iam.PolicyVersion{}
	for _, v := range slices.Backward(p.Versions) {
		versions = append(versions, shownVersion(p, v, false))
	}
	return &iam.ListPolicyVersionsOutput{Versions: versions, IsTruncated: new(false)}, nil
}

// SetDefaultPolicyVersion implements the operation of that name.
func (s *Server) SetDefaultPolicyVersion(ctx context.Context, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	err := s.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *record.Policy) error {
		at, err := version(p, in.VersionId)
		if err != nil {
			return err
		}
		p.Policy.DefaultVersionId, p.Policy.UpdateDate = p.Versions[at].VersionId, now()
		return nil
	})
	return &iam.SetDefaultPolicyVersionOutput{}, err
}

// DeletePolicyVersion implements the operation of that name.
func (s *Server) DeletePolicyVersion(ctx context.Context, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	err := s.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *record.Policy) error {
		at, err := version(p, in.VersionId)
		if err != nil {
			return err
		}
		if *in.VersionId == *p.Policy.DefaultVersionId {
			return conflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.Delete(slices.Clone(p.Versions), at, at+1)
		return nil
	})
	return &iam.DeletePolicyVersionOutput{}, err
}
