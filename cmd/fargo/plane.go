package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"fargo"
	"fargo/api"
	"fargo/api/acm"
	"fargo/api/cloudtrail"
	"fargo/api/ec2"
	"fargo/api/ecr"
	"fargo/api/ecs"
	"fargo/api/forward"
	"fargo/api/iam"
	"fargo/api/sts"
	"fargo/audit"
	"fargo/control"
	"fargo/desired"
	"fargo/dispatch"
	"fargo/eventbus"
	"fargo/instance"
	"fargo/kernel"
	"fargo/lambda"
	"fargo/logs"
	"fargo/metrics"
	"fargo/objects"
	"fargo/record"
	"fargo/registry"
	"fargo/store"
	"fargo/store/disk"
)

// planeConfig is what a control plane needs.
type planeConfig struct {
	inst *instance.Instance
	key  disk.Key // of what is sealed
	log  *slog.Logger
	// endpoint is the URL by which nodes reach the APIs and the registry.
	endpoint             string
	certificates         *certificates // nil: without TLS
	pace                 fargo.Pace
	acceptAnyCredentials bool
	// strictEgress has tasks fail that Fargate could not have prepared where they are.
	strictEgress bool
	// taskEndpoint has tasks told of the APIs by AWS_ENDPOINT_URL.
	taskEndpoint bool
	// beginAnew creates missing parts of the data directory again.
	beginAnew bool
	// public is the range of public addresses, and elasticIPs how many of them an
	// account may allocate in a region.
	public     netip.Prefix
	elasticIPs int
	// mappings are what is given in the place of Lambda functions.
	mappings lambda.Mappings
	iam      iamMode
	throttle bool // keep AWS's rates
	// forwarded are the services that something else has.
	forwarded *forward.Services
}

// plane is the control plane: its state, and all that reads and changes it.
type plane struct {
	planeConfig
	journal *disk.Journal
	db      *store.DB
	logs    *logs.Store
	metrics *metrics.Store
	// metricFilters make samples of log events.
	metricFilters *metricFilters
	audit         *audit.Log
	blobs         *registry.Storage
	objects       *objects.Store
	images        taskImages
	pushed        *registry.Server
	nodes         *control.Plane
	// authorizer decides by IAM's policies; enforcer is the same, unless they are off.
	authorizer api.Authorizer
	enforcer   *api.Enforcer
	policies   *iam.CallerPolicies
	lastUse    *iam.LastUse
	// calls is how Fargo itself calls the services.
	calls   api.Calls
	events  *eventbus.Router
	history *control.EventHistory
	deliver []*control.Deliverer
	// functions can be called in the place of Lambda functions, and functionTasks are those
	// that are tasks.
	functions     *lambda.Functions
	functionTasks *lambda.Tasks
	handler       http.Handler

	// quiesce ends the controllers before everything else; quiesced is closed when
	// they have ended.
	quiesce         context.Context //nolint:containedctx // a signal, not a request
	stopControllers context.CancelFunc
	quiesced        chan struct{}
}

// uploadGrace is how long the registry keeps layers that no image has: longer
// than any push takes.
const uploadGrace = 24 * time.Hour

func openPlane(ctx context.Context, c planeConfig) (p *plane, err error) {
	p = &plane{planeConfig: c, quiesced: make(chan struct{})}
	p.quiesce, p.stopControllers = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	emptyOrLost, err := checkDataDir(c.inst, c.beginAnew)
	if err != nil {
		return p, err
	}
	if p.journal, err = disk.Open(c.inst.StoreDir(), c.key, c.log); err != nil {
		return p, err
	}
	if p.db, err = store.Open(ctx, p.journal); err != nil {
		return p, err
	}
	if err := checkPublicState(p.db.View(), c.public); err != nil {
		return p, err
	}
	if err := p.checkContents(ctx, emptyOrLost); err != nil {
		return p, err
	}
	if p.logs, err = logs.Open(c.inst.LogsDir(), c.log); err != nil {
		return p, err
	}
	if p.metrics, err = metrics.Open(c.inst.MetricsDir(), c.log, time.Now); err != nil {
		return p, err
	}
	p.metricFilters = newMetricFilters(p.metrics.Put, c.log, time.Now)
	p.logs.Watch(p.metricFilters.written)
	if p.audit, err = audit.Open(c.inst.AuditDir(), c.log); err != nil {
		return p, err
	}
	home := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	if err := ec2.EnsureDefaults(ctx, p.db, kernel.MachineNetworks, home); err != nil {
		return p, err
	}
	return p, p.openServices(ctx)
}

// openServices makes what answers requests.
func (p *plane) openServices(ctx context.Context) error {
	blobs, err := registry.OpenStorage(ctx, registry.StorageConfig{Dir: p.inst.RegistryDir(), Grace: uploadGrace, Logger: p.log})
	if err != nil {
		return err
	}
	p.blobs = blobs
	if p.objects, err = objects.Open(objects.Config{Dir: p.inst.ObjectsDir(), Logger: p.log}); err != nil {
		return err
	}
	key, err := ecr.LoadKey(ctx, p.db)
	if err != nil {
		return err
	}
	messages, err := sts.LoadMessages(ctx, p.db)
	if err != nil {
		return err
	}
	p.policies = iam.NewCallerPolicies(p.db)
	p.enforcer = api.NewEnforcer(api.EnforcerConfig{
		Actions: withForwarded(actions(p.logs)), Policies: p.policies, State: p.db.View, AuditOnly: p.iam == iamAudit, Messages: messages, Logger: p.log,
	})
	p.authorizer = p.enforcer
	if p.iam == iamOff {
		p.authorizer = api.AllowAuthenticated{}
	}
	p.lastUse = iam.NewLastUse(p.db, p.log)
	p.calls = api.Calls{Authorizer: p.authorizer, Observers: []api.Observer{&cloudtrail.Recorder{Append: p.audit.Append}, p.lastUse}}
	images := ecr.New(ecr.Config{DB: p.db, Blobs: blobs, Key: key, Calls: p.calls})
	p.images = taskImages{db: p.db, registry: images, endpoint: p.endpoint}
	p.pushed = registry.New(ctx, registry.Config{Storage: blobs, Catalog: images, Secret: key, Logger: p.log})
	p.nodes = &control.Plane{DB: p.db, Logs: p.logs, Metrics: metricStore{p.metrics}, Performance: performanceLogs{p.logs}, Exporter: control.NewExporter(p.db, time.Now), Puller: p.images, Authorize: p.authorizeTask, Sessions: control.NewSessions(), Logger: p.log, Pace: p.pace, Upstream: p.endpoint, InEnvironment: p.taskEndpoint, StrictEgress: p.strictEgress}

	id, secret, err := iam.EnsureAdministrator(ctx, p.db, fargo.DefaultAccount)
	if err != nil {
		return err
	}
	if err := p.inst.SetAdminKey(instance.AccessKey{ID: id, Secret: secret}); err != nil {
		return err
	}
	authority, err := acm.CACertificate(ctx, p.db, fargo.DefaultAccount)
	if err != nil {
		return err
	}
	if err := p.inst.SetCA(authority); err != nil {
		return err
	}
	if err := p.openCertificates(ctx); err != nil {
		return err
	}
	p.events = eventbus.NewRouter()
	p.history = control.NewEventHistory(p.db.View(), eventHistory{p.logs}, p.log)
	p.db.Derive((&control.ECSEvents{Router: p.events, History: p.history}).Derive)
	tasks := &functionTasks{calls: p.calls}
	p.functionTasks = lambda.NewTasks(lambda.TasksConfig{DB: p.db, RunTask: tasks.run, StopTask: tasks.stop, Logger: p.log})
	p.functions = lambda.New(p.mappings, p.functionTasks)
	p.nodes.Invocations = p.functionTasks
	agent := &execAgent{db: p.db, policies: p.rolePolicies, anyRole: p.iam != iamEnforce, calls: p.calls}
	mounted := services(dependencies{
		pace:      p.pace,
		execAgent: agent,
		db:        p.db, logs: p.logs, metrics: p.metrics, ecr: images, objects: p.objects, authorizer: p.authorizer, calls: p.calls, messages: messages, lastUse: p.lastUse, functions: p.functions, events: p.events, history: p.history,
		public: p.public, elasticIPs: p.elasticIPs, public6: p.inst.PublicRange6(),
	})
	agent.use(mounted)
	p.nodes.ExecAgent = agent
	p.nodes.Values = newTaskValues(mounted, p.calls)
	for _, m := range mounted {
		if server, ok := m.Server.(*ecs.Server); ok {
			p.deliver = newDeliverers(p, server)
			tasks.server = server // nobody asks before the plane runs
		}
		if objects, ok := m.Server.(control.LogObjects); ok {
			p.nodes.LogObjects = objects
		}
	}
	chain := api.New(api.Config{
		Services:             mounted,
		Keys:                 iam.Keys{DB: p.db},
		Authorizer:           p.authorizer,
		Observers:            p.calls.Observers,
		Origin:               func(header string) (desired.Origin, bool) { return originOf(p.db.View(), header) },
		Forwards:             p.forwarded.Forwards(),
		Logger:               p.log,
		AcceptAnyCredentials: p.acceptAnyCredentials,
		Throttle:             p.throttle,
		Account:              fargo.DefaultAccount,
		Region:               fargo.DefaultRegion,
	})
	metrics := exported(p.nodes.Exporter)
	channels := &forwardedChannels{db: p.db, log: p.log}
	p.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isSignedForS3(r) { // any path may be that of an object
			chain.ServeHTTP(w, r)
			return
		}
		switch r.URL.Path {
		case healthPath:
			p.serveHealth(w, r)
			return
		case authorizationPath:
			p.enforcer.ServeHTTP(w, r)
			return
		case metricsPath:
			metrics.ServeHTTP(w, r)
			return
		}
		if strings.HasPrefix(r.URL.Path, desired.DataChannelPath) {
			channels.ServeHTTP(w, r)
			return
		}
		if r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/") {
			p.serveRegistry(w, r)
			return
		}
		chain.ServeHTTP(w, r)
	})
	return nil
}

// openCertificates makes sure that there is something to serve the APIs over TLS with, if
// they are. One that should have been renewed is good enough, as when the disk is full.
func (p *plane) openCertificates(ctx context.Context) error {
	if p.certificates == nil {
		return p.inst.SetTrust("")
	}
	p.certificates.inst, p.certificates.db = p.inst, p.db
	err := p.certificates.renew(ctx, time.Now())
	if _, ok := store.APICertificate(p.db.View()); err != nil && ok {
		p.log.Error("the certificate of the APIs is not as it should be", "err", err)
		return nil
	}
	return err
}

// isSignedForS3 reports whether a request says that it is signed for S3, as the chain
// will see.
func isSignedForS3(r *http.Request) bool {
	const scope = "/s3/aws4_request"
	return strings.Contains(r.Header.Get("Authorization"), scope) || strings.Contains(r.URL.Query().Get("X-Amz-Credential"), scope)
}

// The paths that are of no API of AWS.
const (
	healthPath        = "/healthz"
	authorizationPath = "/debug/authorization"
	metricsPath       = "/metrics"
)

// ownPath reports whether a path is the machine's own: tasks cannot reach it at the
// addresses of the APIs.
func ownPath(path string) bool {
	return path == healthPath || path == metricsPath || strings.HasPrefix(path, "/debug/")
}

// close releases what openPlane has opened.
func (p *plane) close() error {
	var errs []error
	if p.audit != nil {
		errs = append(errs, p.audit.Close())
	}
	if p.metrics != nil {
		errs = append(errs, p.metrics.Close())
	}
	if p.logs != nil {
		errs = append(errs, p.logs.Close())
	}
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	return errors.Join(errs...)
}

// run keeps the store as it should be, and serves nodes, until ctx ends.
func (p *plane) run(ctx context.Context) error {
	nodes, err := dispatch.Listen(p.inst.Socket())
	if err != nil {
		return err
	}
	server := dispatch.NewServer(dispatch.ServerConfig{Plane: p.nodes, Logger: p.log})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Serve(ctx, nodes) })
	g.Go(func() error {
		defer close(p.quiesced)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(p.quiesce, cancel)()
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error {
			return control.Run(ctx, p.db, p.log, control.Controllers(control.Config{Images: p.images, Assumable: iam.Assumable, Policies: p.rolePolicies, Authorize: p.authorizeTask, Renew: acm.Renew, IssuePlatform: acm.IssuePlatform, StrictEgress: p.strictEgress, Logger: p.log, Sessions: p.nodes.Sessions, Pace: p.pace, Public: p.public, Events: p.events, Callable: p.functions.Callable, Topics: p.forwarded.Has("sns")}))
		})
		both.Go(func() error { return newAlarmEvaluator(p).Run(ctx) })
		both.Go(func() error {
			counter := control.InsightCounter{DB: p.db, Metrics: metricStore{p.metrics}, Performance: performanceLogs{p.logs}, Pace: p.pace, Logger: p.log}
			return counter.Run(ctx)
		})
		for _, d := range p.deliver {
			both.Go(func() error { return d.Run(ctx) })
		}
		return unlessDone(ctx, both.Wait())
	})
	g.Go(func() error {
		rotations := control.Rotations{DB: p.db, Functions: p.functions, Logger: p.log}
		return unlessDone(ctx, rotations.Run(ctx))
	})
	g.Go(func() error { return p.functionTasks.Run(ctx) })
	g.Go(func() error { return p.lastUse.Run(ctx) })
	if p.certificates != nil {
		g.Go(func() error { return p.certificates.run(ctx) })
	}
	g.Go(func() error { return unlessDone(ctx, p.logs.Run(ctx)) })
	g.Go(func() error { return unlessDone(ctx, p.metrics.Run(ctx)) })
	g.Go(func() error { return unlessDone(ctx, p.audit.Run(ctx)) })
	g.Go(func() error { return p.metricFilters.Run(ctx) })
	g.Go(func() error { return p.history.Run(ctx) })
	g.Go(func() error { return unlessDone(ctx, p.pushed.Run(ctx)) })
	g.Go(func() error {
		return unlessDone(ctx, p.objects.Run(ctx, func() iter.Seq[record.Blob] { return store.Blobs(p.db.View()) }))
	})
	return g.Wait()
}

// drain ends every task and waits until all have ended. The controllers are
// stopped first, or services would replace the tasks.
func (p *plane) drain(ctx context.Context, reason string) error {
	p.stopControllers()
	<-p.quiesced
	return p.nodes.Drain(ctx, reason)
}

// unlessDone hides the error of what ctx has ended.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// shutdownTimeout bounds the wait for requests under way.
const shutdownTimeout = 5 * time.Second

// serve answers requests from l until ctx ends.
func (p *plane) serve(ctx context.Context, l net.Listener) error {
	server := newHTTPServer(p.handler, p.log)
	l = netutil.LimitListener(l, maxConnections)
	ended := make(chan error, 1)
	if p.certificates == nil {
		go func() { ended <- server.Serve(l) }()
	} else {
		server.TLSConfig = p.certificates.config()
		go func() { ended <- server.ServeTLS(l, "", "") }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
