package elbv2

import (
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "AWS Elastic Load Balancing V2"; of
// tags, ELB user guide, "Grant permission to tag resources during creation".
var Actions = &api.Actions{
	Prefix:          "elasticloadbalancing",
	TagOnCreate:     "elasticloadbalancing:AddTags",
	CreateActionKey: "elasticloadbalancing:CreateAction",
	Tags:            resourceTags,
	Rows: map[string]api.Row{
		// What does not exist yet is named without its id.
		"CreateLoadBalancer": api.On(func(q *api.Query, in *elbv2.CreateLoadBalancerInput) []string {
			kind := "app"
			if in.Type == elbv2.LoadBalancerTypeEnumNetwork {
				kind = "net"
			}
			return []string{q.ARN("elasticloadbalancing", "loadbalancer/"+kind+"/"+aws.Value(in.Name)+"/*")}
		}).
			Tags(func(in *elbv2.CreateLoadBalancerInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Key("elasticloadbalancing:Scheme", func(_ *api.Query, in *elbv2.CreateLoadBalancerInput) []string { return api.Given(&in.Scheme) }).
			Key("elasticloadbalancing:Subnet", func(_ *api.Query, in *elbv2.CreateLoadBalancerInput) []string {
				return subnetIDs(in.Subnets, in.SubnetMappings)
			}).
			Key("elasticloadbalancing:SecurityGroup", func(_ *api.Query, in *elbv2.CreateLoadBalancerInput) []string { return in.SecurityGroups }),
		"CreateTargetGroup": api.On(func(q *api.Query, in *elbv2.CreateTargetGroupInput) []string {
			return []string{q.ARN("elasticloadbalancing", "targetgroup/"+aws.Value(in.Name)+"/*")}
		}).Tags(func(in *elbv2.CreateTargetGroupInput) map[string]string { return tagMap(in.Tags) }).Creates(),
		"CreateListener": on(func(in *elbv2.CreateListenerInput) *string { return in.LoadBalancerArn }).
			Tags(func(in *elbv2.CreateListenerInput) map[string]string { return tagMap(in.Tags) }).
			Also(func(q *api.Query, in *elbv2.CreateListenerInput) []api.Access {
				return tagCreated(q, in.Tags, in.LoadBalancerArn, "loadbalancer/", "listener/")
			}).
			Key("elasticloadbalancing:ListenerProtocol", func(_ *api.Query, in *elbv2.CreateListenerInput) []string { return api.Given(&in.Protocol) }).
			Key("elasticloadbalancing:SecurityPolicy", func(_ *api.Query, in *elbv2.CreateListenerInput) []string { return api.Given(in.SslPolicy) }),
		"CreateRule": on(func(in *elbv2.CreateRuleInput) *string { return in.ListenerArn }).
			Tags(func(in *elbv2.CreateRuleInput) map[string]string { return tagMap(in.Tags) }).
			Also(func(q *api.Query, in *elbv2.CreateRuleInput) []api.Access {
				return tagCreated(q, in.Tags, in.ListenerArn, "listener/", "listener-rule/")
			}),

		"ModifyListener": on(func(in *elbv2.ModifyListenerInput) *string { return in.ListenerArn }).
			Key("elasticloadbalancing:ListenerProtocol", func(_ *api.Query, in *elbv2.ModifyListenerInput) []string { return api.Given(&in.Protocol) }).
			Key("elasticloadbalancing:SecurityPolicy", func(_ *api.Query, in *elbv2.ModifyListenerInput) []string { return api.Given(in.SslPolicy) }),
		"DeleteListener":             on(func(in *elbv2.DeleteListenerInput) *string { return in.ListenerArn }),
		"ModifyListenerAttributes":   on(func(in *elbv2.ModifyListenerAttributesInput) *string { return in.ListenerArn }),
		"AddListenerCertificates":    on(func(in *elbv2.AddListenerCertificatesInput) *string { return in.ListenerArn }),
		"RemoveListenerCertificates": on(func(in *elbv2.RemoveListenerCertificatesInput) *string { return in.ListenerArn }),

		"ModifyRule": on(func(in *elbv2.ModifyRuleInput) *string { return in.RuleArn }),
		"DeleteRule": on(func(in *elbv2.DeleteRuleInput) *string { return in.RuleArn }),
		"SetRulePriorities": api.On(func(_ *api.Query, in *elbv2.SetRulePrioritiesInput) []string {
			var arns []string
			for _, p := range in.RulePriorities {
				arns = append(arns, api.Given(p.RuleArn)...)
			}
			return arns
		}),

		"DeleteLoadBalancer":           on(func(in *elbv2.DeleteLoadBalancerInput) *string { return in.LoadBalancerArn }),
		"ModifyLoadBalancerAttributes": on(func(in *elbv2.ModifyLoadBalancerAttributesInput) *string { return in.LoadBalancerArn }),
		"SetIpAddressType":             on(func(in *elbv2.SetIpAddressTypeInput) *string { return in.LoadBalancerArn }),
		"SetSubnets": on(func(in *elbv2.SetSubnetsInput) *string { return in.LoadBalancerArn }).
			Key("elasticloadbalancing:Subnet", func(_ *api.Query, in *elbv2.SetSubnetsInput) []string {
				return subnetIDs(in.Subnets, in.SubnetMappings)
			}),
		"SetSecurityGroups": on(func(in *elbv2.SetSecurityGroupsInput) *string { return in.LoadBalancerArn }).
			Key("elasticloadbalancing:SecurityGroup", func(_ *api.Query, in *elbv2.SetSecurityGroupsInput) []string { return in.SecurityGroups }),

		"RegisterTargets":             on(func(in *elbv2.RegisterTargetsInput) *string { return in.TargetGroupArn }),
		"DeregisterTargets":           on(func(in *elbv2.DeregisterTargetsInput) *string { return in.TargetGroupArn }),
		"ModifyTargetGroup":           on(func(in *elbv2.ModifyTargetGroupInput) *string { return in.TargetGroupArn }),
		"ModifyTargetGroupAttributes": on(func(in *elbv2.ModifyTargetGroupAttributesInput) *string { return in.TargetGroupArn }),
		"DeleteTargetGroup":           on(func(in *elbv2.DeleteTargetGroupInput) *string { return in.TargetGroupArn }),

		"AddTags": api.On(func(_ *api.Query, in *elbv2.AddTagsInput) []string { return in.ResourceArns }).
			Tags(func(in *elbv2.AddTagsInput) map[string]string { return tagMap(in.Tags) }),
		"RemoveTags": api.On(func(_ *api.Query, in *elbv2.RemoveTagsInput) []string { return in.ResourceArns }).
			Key("aws:TagKeys", func(_ *api.Query, in *elbv2.RemoveTagsInput) []string { return in.TagKeys }),

		"DescribeAccountLimits":          api.AnyResource[any](),
		"DescribeCapacityReservation":    api.AnyResource[any](),
		"DescribeListenerAttributes":     api.AnyResource[any](),
		"DescribeListenerCertificates":   api.AnyResource[any](),
		"DescribeListeners":              api.AnyResource[any](),
		"DescribeLoadBalancerAttributes": api.AnyResource[any](),
		"DescribeLoadBalancers":          api.AnyResource[any](),
		"DescribeRules":                  api.AnyResource[any](),
		"DescribeSSLPolicies":            api.AnyResource[any](),
		"DescribeTags":                   api.AnyResource[any](),
		"DescribeTargetGroupAttributes":  api.AnyResource[any](),
		"DescribeTargetGroups":           api.AnyResource[any](),
		"DescribeTargetHealth":           api.AnyResource[any](),
	},
}

// on is the row of an operation on what an ARN in its input names.
func on[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}

// tagCreated asks for the tags of what is created below something else: a
// listener of a load balancer, a rule of a listener. Its ARN is that of the other,
// with another kind and a part more.
func tagCreated(q *api.Query, tags []elbv2.Tag, parent *string, kind, below string) []api.Access {
	if len(tags) == 0 || parent == nil {
		return nil
	}
	return []api.Access{q.TagOnCreate(strings.Replace(*parent, ":"+kind, ":"+below, 1) + "/*")}
}

func subnetIDs(ids []string, mappings []elbv2.SubnetMapping) []string {
	all := ids[:len(ids):len(ids)]
	for _, m := range mappings {
		all = append(all, api.Given(m.SubnetId)...)
	}
	return all
}

func tagMap(tags []elbv2.Tag) map[string]string {
	return api.TagMap(tags, func(t elbv2.Tag) (key, value *string) { return t.Key, t.Value })
}

// resourceTags are the tags that a resource has.
func resourceTags(r store.Reader, arn string) map[string]string {
	a, _ := fargo.ParseARN(arn)
	switch kind, _, _ := strings.Cut(a.Resource, "/"); kind {
	case "loadbalancer":
		if b, ok := store.ELBLoadBalancers.Get(r, arn); ok {
			return tagMap(b.Tags)
		}
	case "listener":
		if l, ok := store.ELBListeners.Get(r, arn); ok {
			return tagMap(l.Tags)
		}
	case "listener-rule":
		if rule, ok := store.ELBRules.Get(r, arn); ok {
			return tagMap(rule.Tags)
		}
	case "targetgroup":
		if g, ok := store.ELBTargetGroups.Get(r, arn); ok {
			return tagMap(g.Tags)
		}
	}
	return nil
}
