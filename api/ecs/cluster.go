package ecs

import (
	"context"
	"errors"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// clusterName is what a cluster may be called. Source: ECS API, CreateCluster.
var clusterName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]{0,254}$`)

// fargateProviders are the capacity providers that every account has.
var fargateProviders = []string{"FARGATE", "FARGATE_SPOT"}

// CreateCluster makes a cluster. Creating one that exists gives it back as it
// is.
func (s *Server) CreateCluster(ctx context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	name := aws.ValueOr(in.ClusterName, defaultCluster)
	if !clusterName.MatchString(name) {
		return nil, invalid("Invalid identifier: The identifier is for cluster %s. Identifiers may contain only letters, numbers, hyphens and underscores.", name)
	}
	if err := checkExecConfiguration(in.Configuration); err != nil {
		return nil, err
	}
	if err := checkProviders(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return nil, err
	}
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	if err := s.makeServiceRole(ctx); err != nil {
		return nil, err
	}
	var made *record.Cluster
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		settings, err := clusterSettings(in.Settings, insightsOf(tx, scope, store.SettingsOwner(tx, scope, api.CallFrom(ctx).PrincipalARN)))
		if err != nil {
			return err
		}
		if old, ok := store.Clusters.Get(tx, scope.Key(name)); ok && *old.Cluster.Status == statusActive {
			made = old
			return nil
		}
		made = &record.Cluster{Scope: scope, Cluster: ecs.Cluster{
			ClusterArn: new(scope.ARN("ecs", "cluster/"+name)), ClusterName: &name, Status: new(statusActive),
			Configuration: in.Configuration, Settings: settings,
			CapacityProviders:               aws.List(in.CapacityProviders),
			DefaultCapacityProviderStrategy: aws.List(strategyDefaults(in.DefaultCapacityProviderStrategy)),
			ServiceConnectDefaults:          serviceConnectDefaults(in.ServiceConnectDefaults),
			Tags:                            aws.List(in.Tags),
		}}
		store.Clusters.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateClusterOutput{Cluster: clusterView(s.db.View(), made, allClusterFields)}, nil
}

// makeServiceRole makes the role that ECS has for itself. If the caller may not make it,
// there is none.
// Source: ECS API, CreateCluster.
func (s *Server) makeServiceRole(ctx context.Context) error {
	if s.ensureServiceRole == nil {
		return nil
	}
	err := s.ensureServiceRole(ctx, "ecs.amazonaws.com")
	var refused *protocol.Error
	if errors.As(err, &refused) && !refused.Fault {
		return nil
	}
	return err
}

// clusterSettings checks the settings; insights is what holds when they do not
// say.
func clusterSettings(given []ecs.ClusterSetting, insights string) ([]ecs.ClusterSetting, error) {
	for _, g := range given {
		switch v := aws.Value(g.Value); {
		case g.Name != ecs.ClusterSettingNameContainerInsights:
			return nil, invalid("Setting name must be containerInsights.")
		case v != "enabled" && v != "disabled" && v != "enhanced":
			return nil, invalid("Invalid value for setting containerInsights: %s. Valid values are enabled, disabled and enhanced.", v)
		default:
			insights = v
		}
	}
	return []ecs.ClusterSetting{{Name: ecs.ClusterSettingNameContainerInsights, Value: &insights}}, nil
}

func checkExecConfiguration(c *ecs.ClusterConfiguration) error {
	if c == nil || c.ExecuteCommandConfiguration == nil {
		return nil
	}
	x := c.ExecuteCommandConfiguration
	l := x.LogConfiguration
	switch {
	case x.Logging == ecs.ExecuteCommandLoggingOverride && (l == nil || (l.CloudWatchLogGroupName == nil && l.S3BucketName == nil)):
		return invalid("A CloudWatch log group name or S3 bucket name must be specified when overriding the default log configuration.")
	case x.Logging != ecs.ExecuteCommandLoggingOverride && l != nil:
		return invalid("You must set logging to 'OVERRIDE' when you supply a log configuration.")
	}
	return nil
}

func checkProviders(providers []string, strategy []ecs.CapacityProviderStrategyItem) error {
	for _, p := range providers {
		if !slices.Contains(fargateProviders, p) {
			return invalid("The specified capacity provider '%s' was not found.", p)
		}
	}
	return checkStrategy(providers, strategy)
}

// maxStrategy bounds the items of a capacity provider strategy.
// Source: ECS API, CreateService.
const maxStrategy = 20

// checkStrategy holds the rules of a capacity provider strategy.
// Source: ECS API, CapacityProviderStrategyItem.
func checkStrategy(providers []string, strategy []ecs.CapacityProviderStrategyItem) error {
	if len(strategy) > maxStrategy {
		return invalid("A capacity provider strategy can contain a maximum of %d capacity providers.", maxStrategy)
	}
	based, weighted := false, len(strategy) < 2
	seen := map[string]bool{}
	for _, item := range strategy {
		if seen[*item.CapacityProvider] {
			return invalid("The specified capacity provider strategy cannot contain duplicate capacity providers.")
		}
		seen[*item.CapacityProvider] = true
		if !slices.Contains(providers, *item.CapacityProvider) {
			return invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
		}
		if item.Base != nil && *item.Base > 0 {
			if based {
				return invalid("There are multiple capacity providers in the specified capacity provider strategy with a base value defined.")
			}
			based = true
		}
		weighted = weighted || (item.Weight != nil && *item.Weight > 0)
	}
	if !weighted {
		return invalid("There are no capacity providers in the capacity provider strategy with a weight value greater than zero.")
	}
	return nil
}

// strategyDefaults fills in what the items of a strategy leave out. None stays
// none.
func strategyDefaults(in []ecs.CapacityProviderStrategyItem) []ecs.CapacityProviderStrategyItem {
	var out []ecs.CapacityProviderStrategyItem
	for _, item := range in {
		v := ecs.CapacityProviderStrategyItem{CapacityProvider: item.CapacityProvider, Weight: new(int32(0)), Base: new(int32(0))}
		set(&v.Weight, item.Weight)
		set(&v.Base, item.Base)
		out = append(out, v)
	}
	return out
}

func serviceConnectDefaults(in *ecs.ClusterServiceConnectDefaultsRequest) *ecs.ClusterServiceConnectDefaults {
	if in == nil {
		return nil
	}
	return &ecs.ClusterServiceConnectDefaults{Namespace: in.Namespace}
}

// allClusterFields are what CreateCluster and its like show without being asked.
var allClusterFields = []ecs.ClusterField{
	ecs.ClusterFieldConfigurations, ecs.ClusterFieldSettings, ecs.ClusterFieldTags,
}

// clusterView is a cluster as clients see it, with the optional fields asked
// for.
func clusterView(r store.Reader, c *record.Cluster, include []ecs.ClusterField) *ecs.Cluster {
	v := c.Cluster
	n := count(r, c)
	v.RunningTasksCount, v.PendingTasksCount = new(n.running), new(n.pending)
	v.ActiveServicesCount, v.RegisteredContainerInstancesCount = new(n.active), new(int32(0))
	v.Statistics = []ecs.KeyValuePair{}
	if !slices.Contains(include, ecs.ClusterFieldConfigurations) {
		v.Configuration = nil
	}
	if !slices.Contains(include, ecs.ClusterFieldSettings) {
		v.Settings = []ecs.ClusterSetting{}
	}
	if !slices.Contains(include, ecs.ClusterFieldTags) {
		v.Tags = []ecs.Tag{}
	}
	if slices.Contains(include, ecs.ClusterFieldStatistics) {
		v.Statistics = n.statistics()
	}
	return &v
}

// counts are what a cluster has, by state.
type counts struct{ running, pending, active, draining int32 }

func count(r store.Reader, c *record.Cluster) counts {
	var n counts
	for s := range servicesOf(r, c) {
		if s.Status() == statusActive {
			n.active++
		} else {
			n.draining++
		}
	}
	for t := range tasksIn(r, c) {
		switch s := t.LastStatus(); {
		case s == fargo.TaskRunning:
			n.running++
		case s.Before(fargo.TaskRunning):
			n.pending++
		}
	}
	return n
}

// statistics are the counts by launch type, in AWS's order. All tasks are
// Fargate's here, so the others are nought.
func (n counts) statistics() []ecs.KeyValuePair {
	var out []ecs.KeyValuePair
	for _, s := range []struct {
		name  string
		count int32
	}{
		{"runningEC2TasksCount", 0},
		{"runningFargateTasksCount", n.running},
		{"pendingEC2TasksCount", 0},
		{"pendingFargateTasksCount", n.pending},
		{"runningExternalTasksCount", 0},
		{"pendingExternalTasksCount", 0},
		{"activeEC2ServiceCount", 0},
		{"activeFargateServiceCount", n.active},
		{"drainingEC2ServiceCount", 0},
		{"drainingFargateServiceCount", n.draining},
		{"activeExternalServiceCount", 0},
		{"drainingExternalServiceCount", 0},
	} {
		out = append(out, ecs.KeyValuePair{Name: new(s.name), Value: new(strconv.Itoa(int(s.count)))})
	}
	return out
}

func tasksIn(r store.Reader, c *record.Cluster) iter.Seq[*record.Task] {
	return store.Tasks.Prefix(r, c.Scope.Key(*c.Cluster.ClusterName, ""))
}

// DescribeClusters shows clusters, deleted ones included; without names it
// shows "default".
func (s *Server) DescribeClusters(ctx context.Context, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	scope, view := api.CallFrom(ctx).Scope(), s.db.View()
	names := in.Clusters
	if len(names) == 0 {
		names = []string{defaultCluster}
	}
	if len(names) > maxPage {
		return nil, invalid("Clusters cannot have more than %d elements.", maxPage)
	}
	out := &ecs.DescribeClustersOutput{Clusters: []ecs.Cluster{}, Failures: []ecs.Failure{}}
	for _, id := range names {
		name, err := clusterIDs.Name(scope, id)
		if err != nil {
			out.Failures = append(out.Failures, missing(id))
			continue
		}
		c, ok := store.Clusters.Get(view, scope.Key(name))
		if !ok {
			out.Failures = append(out.Failures, missing(scope.ARN("ecs", "cluster/"+name)))
			continue
		}
		out.Clusters = append(out.Clusters, *clusterView(view, c, in.Include))
	}
	return out, nil
}

func missing(arn string) ecs.Failure { return ecs.Failure{Arn: &arn, Reason: new("MISSING")} }

// ListClusters gives the ARNs of the active clusters.
func (s *Server) ListClusters(ctx context.Context, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	arns, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), func(yield func(string) bool) {
		for c := range store.Clusters.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()) {
			if *c.Cluster.Status == statusActive && !yield(*c.Cluster.ClusterArn) {
				return
			}
		}
	}, page.Itself)
	return &ecs.ListClustersOutput{ClusterArns: arns, NextToken: next}, err
}

// DeleteCluster makes a cluster without tasks INACTIVE.
func (s *Server) DeleteCluster(ctx context.Context, in *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	gone, err := s.changeCluster(ctx, in.Cluster, func(tx *store.Tx, c *record.Cluster) error {
		for range servicesOf(tx, c) {
			return ecs.ClusterContainsServicesException("The Cluster cannot be deleted while Services are active.")
		}
		for t := range tasksIn(tx, c) {
			if t.LastStatus().Before(fargo.TaskStopping) {
				return ecs.ClusterContainsTasksException("The Cluster cannot be deleted while Tasks are active.")
			}
		}
		c.Cluster.Status = new(statusInactive)
		return nil
	})
	return &ecs.DeleteClusterOutput{Cluster: gone}, err
}

// changeCluster commits what change makes of a copy of a cluster, and shows it.
func (s *Server) changeCluster(ctx context.Context, id *string, change func(*store.Tx, *record.Cluster) error) (*ecs.Cluster, error) {
	var changed record.Cluster
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		c, err := cluster(tx, scope, id)
		if err != nil {
			return err
		}
		changed = *c
		if err := change(tx, &changed); err != nil {
			return err
		}
		store.Clusters.Put(tx, &changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return clusterView(s.db.View(), &changed, allClusterFields), nil
}

// UpdateCluster changes settings, configuration and Service Connect defaults.
func (s *Server) UpdateCluster(ctx context.Context, in *ecs.UpdateClusterInput) (*ecs.UpdateClusterOutput, error) {
	if err := checkExecConfiguration(in.Configuration); err != nil {
		return nil, err
	}
	changed, err := s.changeCluster(ctx, in.Cluster, func(_ *store.Tx, c *record.Cluster) error {
		if in.Settings != nil {
			settings, err := clusterSettings(in.Settings, *c.Cluster.Settings[0].Value)
			if err != nil {
				return err
			}
			c.Cluster.Settings = settings
		}
		if in.Configuration != nil {
			c.Cluster.Configuration = in.Configuration
		}
		if in.ServiceConnectDefaults != nil {
			c.Cluster.ServiceConnectDefaults = serviceConnectDefaults(in.ServiceConnectDefaults)
		}
		return nil
	})
	return &ecs.UpdateClusterOutput{Cluster: changed}, err
}

// UpdateClusterSettings changes the settings alone.
func (s *Server) UpdateClusterSettings(ctx context.Context, in *ecs.UpdateClusterSettingsInput) (*ecs.UpdateClusterSettingsOutput, error) {
	changed, err := s.changeCluster(ctx, in.Cluster, func(_ *store.Tx, c *record.Cluster) error {
		settings, err := clusterSettings(in.Settings, *c.Cluster.Settings[0].Value)
		if err != nil {
			return err
		}
		c.Cluster.Settings = settings
		return nil
	})
	return &ecs.UpdateClusterSettingsOutput{Cluster: changed}, err
}

// PutClusterCapacityProviders sets a cluster's providers and default strategy.
func (s *Server) PutClusterCapacityProviders(ctx context.Context, in *ecs.PutClusterCapacityProvidersInput) (*ecs.PutClusterCapacityProvidersOutput, error) {
	if err := checkProviders(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return nil, err
	}
	changed, err := s.changeCluster(ctx, in.Cluster, func(tx *store.Tx, c *record.Cluster) error {
		for _, p := range c.Cluster.CapacityProviders {
			if !slices.Contains(in.CapacityProviders, p) && providerInUse(tx, c, p) {
				return ecs.ResourceInUseException("The specified capacity provider is in use and cannot be removed.")
			}
		}
		c.Cluster.CapacityProviders = aws.List(in.CapacityProviders)
		c.Cluster.DefaultCapacityProviderStrategy = aws.List(strategyDefaults(in.DefaultCapacityProviderStrategy))
		return nil
	})
	return &ecs.PutClusterCapacityProvidersOutput{Cluster: changed}, err
}

// providerInUse reports whether a cluster's services or tasks need a capacity
// provider.
func providerInUse(r store.Reader, c *record.Cluster, provider string) bool {
	for s := range servicesOf(r, c) {
		names := func(i ecs.CapacityProviderStrategyItem) bool { return *i.CapacityProvider == provider }
		if slices.ContainsFunc(s.Service.CapacityProviderStrategy, names) {
			return true
		}
	}
	for t := range tasksIn(r, c) {
		if !t.Stopped() && aws.Value(t.Intent.CapacityProviderName) == provider {
			return true
		}
	}
	return false
}

// DescribeCapacityProviders shows the two providers of Fargate.
func (s *Server) DescribeCapacityProviders(ctx context.Context, in *ecs.DescribeCapacityProvidersInput) (*ecs.DescribeCapacityProvidersOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	names := in.CapacityProviders
	if len(names) == 0 {
		names = fargateProviders
	}
	out := &ecs.DescribeCapacityProvidersOutput{CapacityProviders: []ecs.CapacityProvider{}, Failures: []ecs.Failure{}}
	for _, id := range names {
		name, err := providerIDs.Name(scope, id)
		if err != nil {
			return nil, err
		}
		arn := scope.ARN("ecs", "capacity-provider/"+name)
		if !slices.Contains(fargateProviders, name) {
			out.Failures = append(out.Failures, missing(arn))
			continue
		}
		out.CapacityProviders = append(out.CapacityProviders, ecs.CapacityProvider{
			CapacityProviderArn: &arn, Name: &name, Status: ecs.CapacityProviderStatusActive, Tags: []ecs.Tag{},
		})
	}
	return out, nil
}
