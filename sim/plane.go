package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"fargo"
	"fargo/api"
	"fargo/api/acm"
	"fargo/api/ec2"
	"fargo/api/ecs"
	"fargo/api/elbv2"
	wire "fargo/aws/ecs"
	"fargo/control"
	"fargo/desired"
	"fargo/dispatch"
	"fargo/eventbus"
	"fargo/plan"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// home is where everything in the simulation lives.
var scope = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// plane is one life of a control plane: the process between two kills.
type plane struct {
	db      *store.DB
	journal *journal
	ecs     *ecs.Server
	elb     *elbv2.Server
	ec2     *ec2.Server
	// nodes is what machines ask and tell, by way of dispatch or directly.
	nodes *control.Plane

	ctx    context.Context //nolint:containedctx // the process's life
	cancel context.CancelFunc
	all    sync.WaitGroup
	fail   chan error // why it ended by itself
}

// public is the range of public addresses.
var public = netip.MustParsePrefix("240.0.0.0/20")

// planeConfig is what outlives a control plane, and how it is set up.
type planeConfig struct {
	storage storage
	link    *link
	logs    control.Logs
	events  *eventTarget // nil for none
	log     *slog.Logger
	pace    fargo.Pace
}

// startPlane starts a control plane on the state that the last one left.
func startPlane(ctx context.Context, c planeConfig) (*plane, error) {
	j, err := openJournal(c.storage)
	if err != nil {
		return nil, err
	}
	p := &plane{journal: j, fail: make(chan error, 2)}
	p.ctx, p.cancel = context.WithCancel(ctx)
	ctx = p.ctx
	db, err := store.Open(ctx, p.journal)
	if err != nil {
		return nil, err
	}
	router := eventbus.NewRouter()
	history := control.NewEventHistory(db.View(), noHistory{}, c.log)
	db.Derive((&control.ECSEvents{Router: router, History: history}).Derive)
	if err := ec2.EnsureDefaults(ctx, db, nil, scope); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p.db, p.ec2, p.elb = db, ec2.New(ec2.Config{DB: db, Public: public, ElasticIPs: 5}), elbv2.New(elbv2.Config{DB: db, Public: public})
	p.ecs = ecs.New(ecs.Config{DB: db, Assumable: assumable})
	p.nodes = &control.Plane{DB: db, Logs: c.logs, Metrics: noMetrics{}, Puller: anyImage{}, Sessions: control.NewSessions(), Logger: c.log, Pace: c.pace}
	server := dispatch.NewServer(dispatch.ServerConfig{Plane: p.nodes, Logger: c.log})
	listener := c.link.listen()
	p.run("dispatch", func() error { return server.Serve(ctx, listener) })
	p.run("history", func() error { return history.Run(ctx) })
	if c.events != nil {
		p.run("events", func() error { return c.events.deliverer(db, c).Run(ctx) })
	}
	p.run("controllers", func() error {
		return control.Run(ctx, db, c.log, control.Controllers(control.Config{Images: anyImage{}, Assumable: assumable, Renew: acm.Renew, IssuePlatform: acm.IssuePlatform, Logger: c.log, Sessions: p.nodes.Sessions, Pace: c.pace, Public: public, Events: router}))
	})
	return p, nil
}

// run has a part of the process run until the process ends.
func (p *plane) run(what string, part func() error) {
	p.all.Go(func() {
		if err := part(); p.ctx.Err() == nil {
			p.fail <- fmt.Errorf("%s ended: %w", what, err)
		}
	})
}

// kill ends the process as SIGKILL does: nothing more is written, and nobody is
// told anything.
func (p *plane) kill(l *link) error {
	p.journal.kill()
	l.cut("")
	p.cancel()
	p.all.Wait()
	return p.journal.storage.abandon(p.journal.Journal)
}

// deposed reports whether another control plane leads, so that this one can only
// end.
func (p *plane) deposed() bool {
	select {
	case <-p.db.Lost():
		return true
	default:
		return false
	}
}

// call gives a request's context, as the chain of package api would.
func call(ctx context.Context) context.Context {
	return api.WithCall(ctx, &api.Call{Account: scope.Account, Region: scope.Region, Caller: api.Caller{PrincipalARN: "arn:aws:iam::" + scope.Account + ":user/admin"}})
}

func assumable(store.Reader, string, string, string) bool { return true }

// anyImage is a registry that resolves no name, and wants a password for every image.
type anyImage struct{}

// Resolve implements [control.Images].
func (anyImage) Resolve(store.Reader, fargo.Scope, string) string { return "" }

// Source implements [control.Puller].
func (anyImage) Source(t *record.Task, _ *wire.ContainerDefinition) desired.PullSource {
	return desired.PullSource{Username: "AWS", PasswordID: desired.RegistryPasswordOf(t.ARN())}
}

// Password implements [control.Puller].
func (anyImage) Password(t *record.Task) secret.Text {
	return passwordFor(desired.RegistryPasswordOf(t.ARN()))
}

// passwordFor is the only password that a pull succeeds with.
func passwordFor(id desired.SecretID) secret.Text { return secret.New("password for " + string(id)) }

// noMetrics forgets what machines measure: the simulated ones do not.
type noMetrics struct{}

func (noMetrics) PutMetrics(context.Context, string, uint64, []plan.Datum) error { return nil }
