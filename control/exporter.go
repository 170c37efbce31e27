package control

import (
	"maps"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"fargo"
	"fargo/desired"
	"fargo/plan"
	"fargo/store"
)

// Exporter gives Prometheus what nodes have measured, and what services have: with AWS's
// names as labels, and of every container, whether its cluster has Container Insights or
// not. Counters count from the start of the control plane on. What has not been measured for
// some minutes is left out.
type Exporter struct {
	db  *store.DB
	now func() time.Time

	mu        sync.Mutex
	taken     map[string]uint64            // the last number of each source
	tasks     map[string]*exportedTask     // by ARN
	balancers map[string]*exportedBalancer // by what it is of
}

// exportedTask is a task as it was measured last, and all that it has used.
type exportedTask struct {
	at         time.Time
	labels     []string // the values of taskLabels
	cpu        float64  // reserved units
	memory     float64  // reserved bytes
	last       desired.TaskMeasurement
	network    desired.NetworkUsage
	containers map[string]*desired.Usage
}

// exportedBalancer is what a load balancer has done in a zone, with a group or by itself.
type exportedBalancer struct {
	at     time.Time
	labels []string // the values of balancerLabels
	counts map[string]float64
	gauges map[string]float64
}

// forgetAfter is how long something is exported that is not measured any more, at AWS's
// pace: some periods, so that a late measurement leaves no gap.
const forgetAfter = 5 * time.Minute

// NewExporter makes an exporter. Register it with a registry of Prometheus.
func NewExporter(db *store.DB, now func() time.Time) *Exporter {
	return &Exporter{db: db, now: now, taken: map[string]uint64{}, tasks: map[string]*exportedTask{}, balancers: map[string]*exportedBalancer{}}
}

// take takes measurements of a source in, each number once.
func (e *Exporter) take(source string, m *desired.Measurements, tasks map[string]*plan.MeasuredTask) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m.Number <= e.taken[source] {
		return
	}
	e.taken[source] = m.Number
	for i := range m.Tasks {
		if t := tasks[m.Tasks[i].TaskARN]; t != nil {
			e.takeTask(t, &m.Tasks[i], m.End)
		}
	}
	for i := range m.Balancers {
		e.takeBalancer(&m.Balancers[i], m.End)
	}
	maps.DeleteFunc(e.tasks, func(_ string, t *exportedTask) bool { return m.End.Sub(t.at) > forgetAfter })
	maps.DeleteFunc(e.balancers, func(_ string, b *exportedBalancer) bool { return m.End.Sub(b.at) > forgetAfter })
}

func (e *Exporter) takeTask(t *plan.MeasuredTask, m *desired.TaskMeasurement, at time.Time) {
	x := e.tasks[m.TaskARN]
	if x == nil {
		x = &exportedTask{labels: []string{t.Task.Cluster, t.Task.Service, t.Family, t.Task.ID}, containers: map[string]*desired.Usage{}}
		x.cpu, x.memory = t.Reserved()
		e.tasks[m.TaskARN] = x
	}
	x.at, x.last = at, *m
	if n := m.Network; n != nil {
		x.network.Received += n.Received
		x.network.Sent += n.Sent
	}
	for _, c := range m.Containers {
		sum := x.containers[c.Name]
		if sum == nil {
			sum = &desired.Usage{}
			x.containers[c.Name] = sum
		}
		sum.CPU += c.CPU
		sum.Read += c.Read
		sum.Written += c.Written
		sum.Memory = c.Memory
	}
}

func (e *Exporter) takeBalancer(m *desired.BalancerMeasurement, at time.Time) {
	key := m.Balancer + " " + m.Group + " " + m.Zone
	b := e.balancers[key]
	if b == nil {
		b = &exportedBalancer{labels: []string{dimensionOf(m.Balancer, "loadbalancer/"), dimensionOf(m.Group, ""), m.Zone}, counts: map[string]float64{}}
		e.balancers[key] = b
	}
	b.at, b.gauges = at, m.Gauges
	for name, n := range m.Counts {
		b.counts[name] += n
	}
}

// dimensionOf is how CloudWatch names a load balancer, or a target group.
func dimensionOf(arn, prefix string) string {
	a, _ := fargo.ParseARN(arn)
	return strings.TrimPrefix(a.Resource, prefix)
}

// The labels, as CloudWatch names its dimensions.
var (
	serviceLabels  = []string{"ClusterName", "ServiceName"}
	taskLabels     = append(serviceLabels[:2:2], "TaskDefinitionFamily", "TaskId")
	balancerLabels = []string{"LoadBalancer", "TargetGroup", "AvailabilityZone"}
)

func description(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("fargo_"+name, help, labels, nil)
}

var (
	containerLabels   = append(taskLabels[:4:4], "ContainerName")
	volumeLabels      = append(taskLabels[:4:4], "VolumeName")
	containerCPU      = description("container_cpu_seconds_total", "Processor time that a container has used.", containerLabels...)
	containerMemory   = description("container_memory_bytes", "Memory in use by a container.", containerLabels...)
	containerRead     = description("container_storage_read_bytes_total", "Bytes that a container has read from block devices.", containerLabels...)
	containerWritten  = description("container_storage_written_bytes_total", "Bytes that a container has written to block devices.", containerLabels...)
	taskCPUReserved   = description("task_cpu_reserved_units", "CPU units that a task may use; 1024 are one processor.", taskLabels...)
	taskMemReserved   = description("task_memory_reserved_bytes", "Memory that a task may use.", taskLabels...)
	taskReceived      = description("task_network_received_bytes_total", "Bytes that came to a task's interface.", taskLabels...)
	taskSent          = description("task_network_sent_bytes_total", "Bytes that left by a task's interface.", taskLabels...)
	taskStorageUsed   = description("task_ephemeral_storage_used_bytes", "Ephemeral storage in use by a task.", taskLabels...)
	taskStorage       = description("task_ephemeral_storage_bytes", "Ephemeral storage that a task has.", taskLabels...)
	volumeUsed        = description("task_volume_used_bytes", "Bytes in use of a task's volume of EBS.", volumeLabels...)
	volumeSize        = description("task_volume_bytes", "Bytes that the file system of a task's volume of EBS has.", volumeLabels...)
	serviceDesired    = description("service_desired_tasks", "Tasks that a service is to have.", serviceLabels...)
	serviceRunning    = description("service_running_tasks", "Tasks of a service that run.", serviceLabels...)
	servicePending    = description("service_pending_tasks", "Tasks of a service that are being started.", serviceLabels...)
	serviceDeployment = description("service_deployments", "Deployments of a service.", serviceLabels...)
)

// Describe implements [prometheus.Collector]. Nothing is promised: what load balancers count
// is known only when they do.
func (e *Exporter) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (e *Exporter) Collect(out chan<- prometheus.Metric) {
	view := e.db.View()
	for c := range store.Clusters.All(view) {
		_, services := clusterCounts(view, c)
		for _, s := range services {
			gauge := func(d *prometheus.Desc, n int) {
				out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), *c.Cluster.ClusterName, s.Service.Name())
			}
			gauge(serviceDesired, s.Desired)
			gauge(serviceRunning, s.Running)
			gauge(servicePending, s.Pending)
			gauge(serviceDeployment, s.Deployments)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	for _, t := range e.tasks {
		if now.Sub(t.at) <= forgetAfter {
			t.collect(out)
		}
	}
	for _, b := range e.balancers {
		if now.Sub(b.at) <= forgetAfter {
			b.collect(out)
		}
	}
}

func (t *exportedTask) collect(out chan<- prometheus.Metric) {
	metric := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	metric(taskCPUReserved, prometheus.GaugeValue, t.cpu, t.labels...)
	metric(taskMemReserved, prometheus.GaugeValue, t.memory, t.labels...)
	if t.last.Network != nil {
		metric(taskReceived, prometheus.CounterValue, float64(t.network.Received), t.labels...)
		metric(taskSent, prometheus.CounterValue, float64(t.network.Sent), t.labels...)
	}
	if t.last.Storage > 0 {
		metric(taskStorageUsed, prometheus.GaugeValue, float64(t.last.StorageUsed), t.labels...)
		metric(taskStorage, prometheus.GaugeValue, float64(t.last.Storage), t.labels...)
	}
	for _, v := range t.last.Volumes {
		labels := append(t.labels[:4:4], v.Volume)
		metric(volumeUsed, prometheus.GaugeValue, float64(v.Used), labels...)
		metric(volumeSize, prometheus.GaugeValue, float64(v.Size), labels...)
	}
	for name, u := range t.containers {
		labels := append(t.labels[:4:4], name)
		metric(containerCPU, prometheus.CounterValue, u.CPU.Seconds(), labels...)
		metric(containerMemory, prometheus.GaugeValue, float64(u.Memory), labels...)
		metric(containerRead, prometheus.CounterValue, float64(u.Read), labels...)
		metric(containerWritten, prometheus.CounterValue, float64(u.Written), labels...)
	}
}

func (b *exportedBalancer) collect(out chan<- prometheus.Metric) {
	for name, n := range b.counts {
		d := description("load_balancer_"+snake(name)+"_total", "CloudWatch's "+name+".", balancerLabels...)
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, n, b.labels...)
	}
	for name, n := range b.gauges {
		d := description("load_balancer_"+snake(name), "CloudWatch's "+name+".", balancerLabels...)
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, b.labels...)
	}
}

// oneWord has words as one that begin with several capitals and go on with small letters.
var oneWord = strings.NewReplacer("IPv6", "Ipv6_", "LCUs", "Lcus")

// snake is a name of CloudWatch's as Prometheus has names: "HTTPCode_Target_2XX_Count" is
// http_code_target_2xx_count.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(oneWord.Replace(name))
	for i, r := range runes {
		begins := i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) ||
			unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if begins {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
