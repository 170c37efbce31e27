package elbv2

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/aws/protocol"
	"fargo/desired"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// LogDelivery is an object of a load balancer's logs, or the file that tests whether they
// can be delivered.
type LogDelivery struct {
	Bucket, Key string
	Region      string // of the load balancer, where the bucket must be too
	// Principals are the names by which Elastic Load Balancing comes. The bucket's policy
	// must let one of them put the object.
	Principals []policy.Principal
	Context    policy.Context
}

// Buckets is S3, as the delivery of logs sees it.
type Buckets interface {
	// Takes reports whether a bucket is there and takes an object.
	Takes(r store.Reader, d LogDelivery) bool
	// Deliver puts an object. Errors of S3 are [protocol.Error].
	Deliver(ctx context.Context, d LogDelivery, content []byte) error
}

// logKind is a kind of logs.
type logKind struct {
	key      string // what its attributes begin with
	called   string // in errors
	testFile string // what is written where the logs of an account begin
	begun    string // and what it says
}

// logKinds are all kinds. Source: ALB user guide, "Enable access logs", "Enable connection
// logs" and "Enable health check logs" (step 4: "Verify bucket permissions"). What the
// files say is from readers of them (Datadog's and OpenTelemetry's), for health checks it
// is ours.
var logKinds = []logKind{
	{"access_logs", "access logs", "ELBAccessLogTestFile", "Enable AccessLog for ELB"},
	{"connection_logs", "connection logs", "ELBConnectionLogTestFile", "Enable ConnectionLog for ELB"},
	{"health_check_logs", "health check logs", "ELBHealthCheckLogTestFile", "Enable HealthCheckLog for ELB"},
}

// elbAccounts are the accounts that Elastic Load Balancing has in the regions which are
// older than its service principal.
// Source: ALB user guide, "Enable access logs", bucket policies of before August 2022.
var elbAccounts = map[string]string{
	"af-south-1": "098369216593", "ap-east-1": "754344448648", "ap-northeast-1": "582318560864", "ap-northeast-2": "600734575887",
	"ap-northeast-3": "383597477331", "ap-south-1": "718504428378", "ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266",
	"ap-southeast-3": "589379963580", "ca-central-1": "985666609251", "eu-central-1": "054676820928", "eu-north-1": "897822967062",
	"eu-south-1": "635631232127", "eu-west-1": "156460612806", "eu-west-2": "652711504416", "eu-west-3": "009996457667",
	"me-south-1": "076674570225", "sa-east-1": "507241528517", "us-east-1": "127311923021", "us-east-2": "033677994240",
	"us-west-1": "027434742980", "us-west-2": "797873946194", "us-gov-west-1": "048591011584", "us-gov-east-1": "190560391635",
	"cn-north-1": "638102146993", "cn-northwest-1": "037604701340",
}

// delivery is an object of a load balancer's.
// Source: ALB user guide, "Enable access logs"; NLB user guide, the same: logs of network
// load balancers are delivered by CloudWatch Logs.
func delivery(lb *record.ELBLoadBalancer, bucket, key string) LogDelivery {
	a, _ := fargo.ParseARN(*lb.LoadBalancer.LoadBalancerArn)
	scope := a.Scope()
	d := LogDelivery{Bucket: bucket, Key: key, Region: scope.Region}
	source := *lb.LoadBalancer.LoadBalancerArn
	if lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumNetwork {
		source = scope.ARN("logs", "*")
		d.Principals = []policy.Principal{{Service: "delivery.logs.amazonaws.com"}}
	} else {
		d.Principals = []policy.Principal{{Service: "logdelivery.elasticloadbalancing.amazonaws.com"}}
		if account, ok := elbAccounts[scope.Region]; ok {
			d.Principals = append(d.Principals, policy.Principal{Account: account})
		}
	}
	d.Context = policy.Values{
		"aws:sourceaccount": {scope.Account}, "aws:sourcearn": {source}, "aws:securetransport": {"true"},
		"s3:x-amz-acl": {"bucket-owner-full-control"},
	}
	return d
}

// logFolder is where the objects of an account are in a bucket.
func logFolder(prefix, account string) string {
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return prefix + "AWSLogs/" + account + "/"
}

// logStart is a kind of logs that a load balancer begins to deliver, or to deliver
// elsewhere.
type logStart struct {
	delivery LogDelivery
	content  string
}

// logStarts are those between two states of a load balancer's attributes. It refuses what
// cannot be delivered.
func (s *Server) logStarts(r store.Reader, before, after *record.ELBLoadBalancer, now time.Time) (starts []logStart, err error) {
	for _, k := range logKinds {
		prefix := k.key + ".s3."
		if err := checkLog(after.Attributes, prefix, k.called); err != nil {
			return nil, err
		}
		was, is := before.Attributes, after.Attributes
		bucket := is[prefix+"bucket"]
		if is[prefix+"enabled"] != "true" || was[prefix+"enabled"] == "true" && was[prefix+"bucket"] == bucket && was[prefix+"prefix"] == is[prefix+"prefix"] {
			continue
		}
		a, _ := fargo.ParseARN(*after.LoadBalancer.LoadBalancerArn)
		d := delivery(after, bucket, logFolder(is[prefix+"prefix"], a.Account)+k.testFile)
		if s.buckets == nil || !s.buckets.Takes(r, d) {
			return nil, noBucket(bucket)
		}
		starts = append(starts, logStart{d, fmt.Sprintf("%s: %s at %s", k.begun, *after.LoadBalancer.LoadBalancerName, now.Format("2006-01-02T15:04:05.000Z"))})
	}
	return starts, nil
}

func noBucket(bucket string) error {
	return unfit("Access Denied for bucket: %s. Please check S3bucket permission", bucket)
}

// deliverTests puts the files that show that logs can be delivered.
func (s *Server) deliverTests(ctx context.Context, starts []logStart) error {
	for _, l := range starts {
		err := s.buckets.Deliver(ctx, l.delivery, []byte(l.content))
		if refused := (*protocol.Error)(nil); errors.As(err, &refused) {
			return noBucket(l.delivery.Bucket)
		}
		if err != nil {
			return fmt.Errorf("test file of logs: %w", err)
		}
	}
	return nil
}

// logName is the name of a log's object, from which follows whose it is.
var logName = regexp.MustCompile(`(?:^|/)AWSLogs/(\d{12})/elasticloadbalancing/([a-z0-9-]+)/\d{4}/\d\d/\d\d/(?:conn_log\.|health_check_log_)?\d{12}_elasticloadbalancing_[a-z0-9-]+_(app|net)\.([a-zA-Z0-9-]+)\.([0-9a-f]+)_`)

// PutLogObject puts a log that a node has written into its bucket. A load balancer
// that is deleted meanwhile still gets what it has logged. errdefs.IsNotFound holds for the
// error when the bucket does not take it.
func (s *Server) PutLogObject(ctx context.Context, o desired.LogObject) error {
	m := logName.FindStringSubmatch(o.Name)
	if m == nil {
		return errdefs.ErrNotFound.WithMessage("the name is not that of a load balancer's log")
	}
	scope := fargo.Scope{Account: m[1], Region: m[2]}
	lb := &record.ELBLoadBalancer{}
	lb.LoadBalancer.LoadBalancerArn = new(scope.ARN(service, "loadbalancer/"+m[3]+"/"+m[4]+"/"+m[5]))
	lb.LoadBalancer.Type = elbv2.LoadBalancerTypeEnumApplication
	if m[3] == "net" {
		lb.LoadBalancer.Type = elbv2.LoadBalancerTypeEnumNetwork
	}
	err := s.buckets.Deliver(ctx, delivery(lb, o.Bucket, o.Name), o.Content)
	if refused := (*protocol.Error)(nil); errors.As(err, &refused) {
		return errdefs.ErrNotFound.WithMessage(refused.Error())
	}
	return err
}
