package ec2

import (
	"context"
	"regexp"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// hostName is a name with two labels at least, and perhaps a final dot.
// Source: RFC 1123, section 2.1.
var hostName = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)\.?$`)

// maxName is the length of the longest name, without the final dot. Source: RFC 1035.
const maxName = 253

// ModifyAddressAttribute keeps the name that an Elastic IP address's reverse record is to
// have.
func (s *Server) ModifyAddressAttribute(ctx context.Context, in *ec2.ModifyAddressAttributeInput) (*ec2.ModifyAddressAttributeOutput, error) {
	if in.DomainName == nil {
		return nil, missingParameter("DomainName")
	}
	name := strings.TrimSuffix(*in.DomainName, ".")
	if len(name) > maxName || !hostName.MatchString(name) {
		return nil, badValue("Value (%s) for parameter domainName is invalid.", *in.DomainName)
	}
	shown, err := s.setPTR(ctx, *in.AllocationId, name+".")
	if err != nil {
		return nil, err
	}
	return &ec2.ModifyAddressAttributeOutput{Address: shown}, nil
}

// ResetAddressAttribute forgets the name.
func (s *Server) ResetAddressAttribute(ctx context.Context, in *ec2.ResetAddressAttributeInput) (*ec2.ResetAddressAttributeOutput, error) {
	shown, err := s.setPTR(ctx, *in.AllocationId, "")
	if err != nil {
		return nil, err
	}
	return &ec2.ResetAddressAttributeOutput{Address: shown}, nil
}

func (s *Server) setPTR(ctx context.Context, allocation, name string) (*ec2.AddressAttribute, error) {
	var changed record.EC2Address
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		a, err := findAddress(tx, scope, allocation)
		if err != nil {
			return err
		}
		changed = *a
		changed.PTR = name
		store.EC2Addresses.Put(tx, &changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(addressAttribute(&changed)), nil
}
