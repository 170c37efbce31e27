package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

const (
	// dhcpOptions is the set of DHCP options that a VPC begins with: the VPC's own
	// resolver.
	dhcpOptions = plan.DefaultDHCPOptions
	// noDHCPOptions is what a VPC without any set is called to have.
	noDHCPOptions = plan.NoDHCPOptions
)

// maxDHCPServers is how many servers of a kind a set may have.
// Source: VPC user guide, "DHCP option sets".
const maxDHCPServers = 4

// dhcpKeys check the values of the options there are.
// Source: EC2 API, CreateDhcpOptions.
var dhcpKeys = map[string]func(value string) bool{
	plan.DHCPDomainName:    func(v string) bool { return v != "" },
	plan.DHCPDomainServers: func(v string) bool { return v == plan.AmazonDNS || isAddress(v) },
	"ntp-servers":          isAddress,
	"netbios-name-servers": isAddress,
	"netbios-node-type":    func(v string) bool { return slices.Contains([]string{"1", "2", "4", "8"}, v) },
	"ipv6-address-preferred-lease-time": func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= 140 && n <= 2147483647
	},
}

func isAddress(v string) bool {
	_, err := netip.ParseAddr(v)
	return err == nil
}

// configurations checks what a set is to have. A server's value may hold several,
// separated by commas.
func configurations(given []ec2.NewDhcpConfiguration) ([]ec2.DhcpConfiguration, error) {
	var out []ec2.DhcpConfiguration
	for _, g := range given {
		key := aws.Value(g.Key)
		valid := dhcpKeys[key]
		if valid == nil {
			return nil, badValue("Value (%s) for parameter dhcpConfiguration.key is invalid. Unknown DHCP option", key)
		}
		values, most := g.Values, 1
		if strings.HasSuffix(key, "-servers") {
			values, most = strings.Split(strings.Join(values, ","), ","), maxDHCPServers
		}
		c := ec2.DhcpConfiguration{Key: &key}
		for _, v := range values {
			v = strings.TrimSpace(v)
			if !valid(v) {
				return nil, badValue("Value (%s) for parameter %s is invalid.", v, key)
			}
			c.Values = append(c.Values, ec2.AttributeValue{Value: &v})
		}
		switch {
		case len(c.Values) == 0:
			return nil, missingParameter("dhcpConfiguration.value")
		case len(c.Values) > most:
			return nil, badValue("The DHCP option %s has too many values.", key)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, missingParameter("dhcpConfiguration")
	}
	return out, nil
}

// CreateDhcpOptions makes a set.
func (s *Server) CreateDhcpOptions(ctx context.Context, in *ec2.CreateDhcpOptionsInput) (*ec2.CreateDhcpOptionsOutput, error) {
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeDhcpOptions)
	if err != nil {
		return nil, err
	}
	all, err := configurations(in.DhcpConfigurations)
	if err != nil {
		return nil, err
	}
	var o *record.EC2DHCPOptions
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		o = &record.EC2DHCPOptions{Scope: scope, Options: ec2.DhcpOptions{
			DhcpOptionsId: new(fargo.NewEC2ID("dopt")), OwnerId: &scope.Account, Tags: aws.List(tags), DhcpConfigurations: all,
		}}
		store.EC2DHCPOptions.Put(tx, o)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateDhcpOptionsOutput{DhcpOptions: &o.Options}, nil
}

// DeleteDhcpOptions deletes a set that no VPC has. The one that VPCs begin with stays.
func (s *Server) DeleteDhcpOptions(ctx context.Context, in *ec2.DeleteDhcpOptionsInput) (*ec2.DeleteDhcpOptionsOutput, error) {
	return &ec2.DeleteDhcpOptionsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		id := *in.DhcpOptionsId
		o, ok := store.EC2DHCPOptions.Get(tx, scope.Key(id))
		if !ok && id != dhcpOptions {
			return noDHCP(id)
		}
		used := id == dhcpOptions
		for v := range store.EC2VPCs.Prefix(tx, scope.Key()) {
			used = used || *v.VPC.DhcpOptionsId == id
		}
		if used {
			return inUse("The dhcpOptions '%s' has dependencies and cannot be deleted.", id)
		}
		store.EC2DHCPOptions.Delete(tx, o.Key())
		return nil
	})
}

// AssociateDhcpOptions gives a VPC another set, or none. Tasks that start later have it.
func (s *Server) AssociateDhcpOptions(ctx context.Context, in *ec2.AssociateDhcpOptionsInput) (*ec2.AssociateDhcpOptionsOutput, error) {
	return &ec2.AssociateDhcpOptionsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		id := *in.DhcpOptionsId
		if _, ok := store.EC2DHCPOptions.Get(tx, scope.Key(id)); !ok && id != dhcpOptions && id != noDHCPOptions {
			return noDHCP(id)
		}
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		c := *v
		c.VPC.DhcpOptionsId = &id
		store.EC2VPCs.Put(tx, &c)
		return nil
	})
}

var noDHCP = noSuch("dopt")

var dhcpFields = fields[*record.EC2DHCPOptions]{
	operation: "DescribeDhcpOptions",
	names: map[string]func(*record.EC2DHCPOptions) []string{
		"dhcp-options-id": one(func(o *record.EC2DHCPOptions) *string { return o.Options.DhcpOptionsId }),
		"owner-id":        one(func(o *record.EC2DHCPOptions) *string { return o.Options.OwnerId }),
		"key":             each(dhcpConfigurations, func(c ec2.DhcpConfiguration) *string { return c.Key }),
		"value": func(o *record.EC2DHCPOptions) (all []string) {
			for _, c := range o.Options.DhcpConfigurations {
				for _, v := range c.Values {
					all = append(all, *v.Value)
				}
			}
			return all
		},
	},
	tags: func(o *record.EC2DHCPOptions) []ec2.Tag { return o.Options.Tags },
}

func dhcpConfigurations(o *record.EC2DHCPOptions) []ec2.DhcpConfiguration {
	return o.Options.DhcpConfigurations
}

// allDHCPOptions are a scope's sets by their ids: the one that VPCs begin with, unless
// it has been given tags, is not kept.
func allDHCPOptions(r store.Reader, scope fargo.Scope) []*record.EC2DHCPOptions {
	all := slices.Collect(store.EC2DHCPOptions.Prefix(r, scope.Key()))
	if _, kept := store.EC2DHCPOptions.Get(r, scope.Key(dhcpOptions)); !kept {
		all = append(all, plan.DHCPOptions(scope))
	}
	slices.SortFunc(all, func(a, b *record.EC2DHCPOptions) int { return strings.Compare(a.Key(), b.Key()) })
	return all
}

// DescribeDhcpOptions shows the sets.
func (s *Server) DescribeDhcpOptions(ctx context.Context, in *ec2.DescribeDhcpOptionsInput) (*ec2.DescribeDhcpOptionsOutput, error) {
	found, next, err := describe(slices.Values(allDHCPOptions(s.db.View(), api.CallFrom(ctx).Scope())),
		query{in.DhcpOptionsIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, dhcpFields,
		func(o *record.EC2DHCPOptions) string { return *o.Options.DhcpOptionsId }, noDHCP)
	out := &ec2.DescribeDhcpOptionsOutput{DhcpOptions: []ec2.DhcpOptions{}, NextToken: next}
	for _, o := range found {
		out.DhcpOptions = append(out.DhcpOptions, o.Options)
	}
	return out, err
}
