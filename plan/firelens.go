package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
)

// Options of the awsfirelens driver and of a log router that are ECS's own.
// Source: ECS developer guide, "Send Amazon ECS logs to an AWS service or AWS Partner".
const (
	firelensInclude     = "include-pattern"
	firelensExclude     = "exclude-pattern"
	firelensBufferLimit = "log-driver-buffer-limit"
	firelensMetadata    = "enable-ecs-log-metadata"
	firelensFile        = "config-file-value"
)

// firelensOwn are the options of the awsfirelens driver that are no plugin's.
var firelensOwn = []string{firelensInclude, firelensExclude, firelensBufferLimit, logMode, logBufferSize}

// FirelensTag is the tag of a container's records at the log router.
func FirelensTag(container, taskID string) string { return container + "-firelens-" + taskID }

// FirelensRouter finds the log router of a task, nil when it has none.
func FirelensRouter(d *ecs.TaskDefinition) *ecs.ContainerDefinition {
	for i := range d.ContainerDefinitions {
		if d.ContainerDefinitions[i].FirelensConfiguration != nil {
			return &d.ContainerDefinitions[i]
		}
	}
	return nil
}

// FirelensConfigPath is where a log router of a type reads its configuration.
func FirelensConfigPath(kind ecs.FirelensConfigurationType) string {
	if kind == ecs.FirelensConfigurationTypeFluentd {
		return "/fluentd/etc/fluent.conf"
	}
	return "/fluent-bit/etc/fluent-bit.conf"
}

// FirelensOutputKey is the option that names a container's output plugin.
func FirelensOutputKey(kind ecs.FirelensConfigurationType) string {
	if kind == ecs.FirelensConfigurationTypeFluentd {
		return "@type"
	}
	return "Name"
}

// FirelensOutputNamed reports whether the options of a container's output, if it has any,
// name a plugin. Without any the output is in the user's own file.
func FirelensOutputNamed(router *ecs.ContainerDefinition, l *ecs.LogConfiguration) bool {
	if l.Options[FirelensOutputKey(router.FirelensConfiguration.Type)] != "" {
		return true
	}
	for k := range l.Options {
		if !slices.Contains(firelensOwn, k) {
			return false
		}
	}
	return len(l.SecretOptions) == 0
}

// FirelensSecret is the environment variable of the log router that has the value of a
// secret option of the nth container.
func FirelensSecret(option string, n int) string { return option + "_" + strconv.Itoa(n) }

// FirelensConfig is the configuration of a task's log router: where records come from,
// what is added to them, the file of the user's own, and an output for each container
// with the awsfirelens driver. The values of secret options are not in it: they are in
// the router's environment (see [FirelensSecret]).
//
// Sources: ECS developer guide, "Example Amazon ECS task definition: Route logs to
// FireLens"; configurations in public reports, such as
// github.com/aws/amazon-ecs-agent/issues/2494; amazon-ecs-agent, agent/taskresource/firelens.
func FirelensConfig(d *ecs.TaskDefinition, cluster, taskARN string) string {
	router := FirelensRouter(d)
	options := router.FirelensConfiguration.Options
	var c firelensConfig = &fluentBit{}
	if router.FirelensConfiguration.Type == ecs.FirelensConfigurationTypeFluentd {
		c = &fluentd{}
	}
	c.inputs(bufferOfRouter(router))
	outputs := firelensOutputs(d, FirelensOutputKey(router.FirelensConfiguration.Type))
	for _, o := range outputs {
		if o.include != "" {
			c.grep(o.match, true, o.include)
		}
		if o.exclude != "" {
			c.grep(o.match, false, o.exclude)
		}
	}
	if options[firelensMetadata] != "false" {
		c.records([][2]string{
			{"ecs_cluster", cluster},
			{"ecs_task_arn", taskARN},
			{"ecs_task_definition", fmt.Sprintf("%s:%d", *d.Family, aws.Value(d.Revision))},
		})
	}
	if file := options[firelensFile]; file != "" {
		c.include(file)
	}
	c.healthCheck()
	for _, o := range outputs {
		c.output(o)
	}
	return c.text()
}

// bufferOfRouter is how many MB the socket's input may hold: half of the router's own
// memory, or 25 when it has no limit.
func bufferOfRouter(router *ecs.ContainerDefinition) int {
	if m := aws.Value(router.Memory); m > 0 {
		return int(m) / 2
	}
	return 25
}

// firelensOutput is where a container's records go.
type firelensOutput struct {
	match            string // the beginning of their tags
	plugin           string
	include, exclude string
	options          [][2]string
	secrets          [][2]string // options and the environment variables that have them
}

func firelensOutputs(d *ecs.TaskDefinition, key string) (all []firelensOutput) {
	for n := range d.ContainerDefinitions {
		c := &d.ContainerDefinitions[n]
		l := c.LogConfiguration
		if l == nil || l.LogDriver != ecs.LogDriverAwsfirelens {
			continue
		}
		o := firelensOutput{match: *c.Name + "-firelens", include: l.Options[firelensInclude], exclude: l.Options[firelensExclude]}
		for _, k := range slices.Sorted(maps.Keys(l.Options)) {
			switch {
			case slices.Contains(firelensOwn, k):
			case k == key:
				o.plugin = l.Options[k]
			default:
				o.options = append(o.options, [2]string{k, l.Options[k]})
			}
		}
		for _, s := range l.SecretOptions {
			o.secrets = append(o.secrets, [2]string{*s.Name, FirelensSecret(*s.Name, n)})
		}
		if o.plugin != "" {
			all = append(all, o)
		}
	}
	return all
}

// firelensConfig is a configuration in the language of a log router.
type firelensConfig interface {
	inputs(bufferMB int)
	grep(match string, include bool, pattern string)
	records(added [][2]string)
	include(file string)
	healthCheck()
	output(o firelensOutput)
	text() string
}

// fluentBit is a configuration of Fluent Bit, in its classic mode.
type fluentBit struct{ b strings.Builder }

func (f *fluentBit) section(name string, pairs ...[2]string) {
	fmt.Fprintf(&f.b, "[%s]\n", name)
	for _, p := range pairs {
		fmt.Fprintf(&f.b, "    %s %s\n", p[0], p[1])
	}
	f.b.WriteByte('\n')
}

func (f *fluentBit) inputs(bufferMB int) {
	f.section("INPUT", [2]string{"Name", "tcp"}, [2]string{"Listen", "127.0.0.1"}, [2]string{"Port", "8877"}, [2]string{"Tag", "firelens-healthcheck"})
	f.section("INPUT", [2]string{"Name", "forward"}, [2]string{"Mem_Buf_Limit", strconv.Itoa(bufferMB) + "MB"}, [2]string{"unix_path", FirelensSocket})
	f.section("INPUT", [2]string{"Name", "forward"}, [2]string{"Listen", "127.0.0.1"}, [2]string{"Port", FirelensPort})
}

func (f *fluentBit) grep(match string, include bool, pattern string) {
	rule := "Exclude"
	if include {
		rule = "Regex"
	}
	f.section("FILTER", [2]string{"Name", "grep"}, [2]string{"Match", match + "*"}, [2]string{rule, "log " + pattern})
}

func (f *fluentBit) records(added [][2]string) {
	pairs := [][2]string{{"Name", "record_modifier"}, {"Match", "*"}}
	for _, a := range added {
		pairs = append(pairs, [2]string{"Record", a[0] + " " + a[1]})
	}
	f.section("FILTER", pairs...)
}

func (f *fluentBit) include(file string) {
	fmt.Fprintf(&f.b, "@INCLUDE %s\n\n", file)
}

func (f *fluentBit) output(o firelensOutput) {
	pairs := append([][2]string{{"Name", o.plugin}, {"Match", o.match + "*"}}, o.options...)
	for _, s := range o.secrets {
		pairs = append(pairs, [2]string{s[0], "${" + s[1] + "}"})
	}
	f.section("OUTPUT", pairs...)
}

// healthCheck lets what comes to the health check's input pass.
func (f *fluentBit) healthCheck() {
	f.section("OUTPUT", [2]string{"Name", "null"}, [2]string{"Match", "firelens-healthcheck"})
}

func (f *fluentBit) text() string { return f.b.String() }

// fluentd is a configuration of Fluentd.
type fluentd struct{ b strings.Builder }

func (f *fluentd) section(name, argument string, lines ...string) {
	if argument != "" {
		argument = " " + argument
	}
	fmt.Fprintf(&f.b, "<%s%s>\n", name, argument)
	for _, l := range lines {
		fmt.Fprintf(&f.b, "    %s\n", l)
	}
	fmt.Fprintf(&f.b, "</%s>\n\n", name)
}

func (f *fluentd) inputs(int) {
	f.section("source", "", "@type unix", "path "+FirelensSocket)
	f.section("source", "", "@type forward", "bind 127.0.0.1", "port "+FirelensPort)
}

func (f *fluentd) grep(match string, include bool, pattern string) {
	rule := "exclude"
	if include {
		rule = "regexp"
	}
	f.section("filter", match+"**", "@type grep", "<"+rule+">", "    key log", "    pattern "+pattern, "</"+rule+">")
}

func (f *fluentd) records(added [][2]string) {
	lines := []string{"@type record_transformer", "<record>"}
	for _, a := range added {
		lines = append(lines, "    "+a[0]+" "+a[1])
	}
	f.section("filter", "**", append(lines, "</record>")...)
}

func (f *fluentd) include(file string) { fmt.Fprintf(&f.b, "@include %s\n\n", file) }

// healthCheck does nothing: only Fluent Bit has an input for one.
func (f *fluentd) healthCheck() {}

func (f *fluentd) output(o firelensOutput) {
	lines := []string{"@type " + o.plugin}
	for _, p := range o.options {
		lines = append(lines, p[0]+" "+p[1])
	}
	for _, s := range o.secrets {
		lines = append(lines, s[0]+` "#{ENV['`+s[1]+`']}"`)
	}
	f.section("match", o.match+"**", lines...)
}

func (f *fluentd) text() string { return f.b.String() }

// Where a log router listens: for what containers write, and for what they send by the
// protocol of Fluentd (fluent-logger-golang and its like).
const (
	FirelensSocket = "/var/run/fluent.sock"
	FirelensPort   = "24224"
)
