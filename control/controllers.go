package control

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"fargo"
	"fargo/eventbus"
	"fargo/record"
	"fargo/store"
)

// Config is what the controllers need in addition to the store.
type Config struct {
	Images Images
	// Assumable reports whether a role exists and trusts an AWS service
	// ("ecs-tasks.amazonaws.com") that acts for a resource.
	Assumable func(r store.Reader, roleARN, service, resourceARN string) bool
	// Policies gives those of a task's role.
	Policies RolePolicies
	// Authorize decides by IAM's policies; nil allows everything.
	Authorize Authorize
	// Renew issues a certificate of ACM's anew, under its own ARN.
	Renew func(tx *store.Tx, c *record.Certificate, now time.Time) error
	// IssuePlatform issues a certificate for Fargo's own APIs in a region.
	IssuePlatform func(tx *store.Tx, region string, names []string, now time.Time) (*record.PlatformCertificate, error)
	// Events finds the rules that events match.
	Events *eventbus.Router
	// Callable reports whether there is a function with an ARN that can be called. nil:
	// there are none.
	Callable func(functionARN string) bool
	// Topics says that messages can be sent to topics of SNS.
	Topics bool
	// Sessions is who is connected: the Plane's.
	Sessions *Sessions
	// StrictEgress has tasks fail that Fargate could not have prepared, because their
	// subnet has no way to their images or logs. Without it that is logged.
	StrictEgress bool
	Logger       *slog.Logger
	// Pace divides the waiting times that configuration prescribes.
	Pace fargo.Pace
	// Public is the range of public IPv4 addresses. The zero Prefix: there are none.
	Public netip.Prefix
}

// Controllers are all there are, in the order they are asked.
func Controllers(c Config) []Controller {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Authorize == nil {
		c.Authorize = func(Caller, string, string, any) error { return nil }
	}
	return []Controller{
		Services(c),
		Nodes(c.Sessions),
		Tasks(c.Images, c.Public, egressCheck{strict: c.StrictEgress, log: c.Logger, warned: &sync.Map{}}, c.Policies, c.Authorize),
		LoadBalancers(),
		Targets(c.Sessions, c.Pace),
		Certificates(c.Renew),
		ManagedSecrets(),
		PlatformCertificates(c.IssuePlatform),
		NATGateways(),
		VPCEndpoints(),
		TaskDefinitions(),
		RunTaskTokens(),
		Lifecycles(c.Pace),
		KMSKeys(),
		Parameters(),
		RuleSchedules(),
		Schedules(),
		EventArrivals(c.Events),
		DeletedFileSystems(),
		ExecSessions(),
		Alarms(c),
		AlarmHistories(),
		ScalableTargets(c.Pace),
		ScheduledActions(),
		ScalingActivities(),
	}
}
