package plan

import (
	"slices"
	"time"

	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/aws/ecs"
	"fargo/record"
)

// maxBake is how long a deployment that is watched by alarms goes on after its tasks have
// been replaced, unless the user says how long.
// Source: ECS developer guide, "How CloudWatch alarms detect Amazon ECS deployment failures":
// of the alarms' periods, less than five minutes.
const maxBake = 5 * time.Minute

// watching are the alarms that watch the deployment that is under way: a rollback is not
// watched, nor a deployment that began while one of them was in ALARM already.
func (p *servicePlan) watching() []string {
	d, c := p.primary(), p.s.Service.DeploymentConfiguration
	if c == nil || c.Alarms == nil || !aws.Value(c.Alarms.Enable) || d.Rollout != ecs.DeploymentRolloutStateInProgress || d.RollbackOf != "" {
		return nil
	}
	if d.Alarms == nil {
		d.Alarms = &record.DeploymentAlarms{Ignored: len(p.inAlarm(c.Alarms.AlarmNames)) > 0}
	}
	if d.Alarms.Ignored {
		return nil
	}
	return c.Alarms.AlarmNames
}

// inAlarm are those of alarms that are in ALARM. Alarms that do not exist are not.
func (p *servicePlan) inAlarm(names []string) (in []string) {
	for _, name := range names {
		if a := p.alarm(name); a != nil && a.State.Value == cloudwatch.StateValueAlarm {
			in = append(in, name)
		}
	}
	return in
}

func (p *servicePlan) alarm(name string) *record.Alarm {
	if p.Alarm == nil {
		return nil
	}
	return p.Alarm(name)
}

// heedAlarms ends a deployment while which an alarm has got into ALARM, and, if the user wants
// that, rolls back to the last one that was completed.
// Source: ECS developer guide, "How CloudWatch alarms detect Amazon ECS deployment failures".
func (p *servicePlan) heedAlarms() {
	triggered := p.inAlarm(p.watching())
	if len(triggered) == 0 {
		return
	}
	d := p.primary()
	d.Alarms = &record.DeploymentAlarms{Triggered: triggered}
	p.failDeployment("alarm(s) detected.", "ECS deployment failed: alarm(s) detected", "ECS deployment failed: alarm(s) detected.", aws.Value(p.s.Service.DeploymentConfiguration.Alarms.Rollback))
}

// baking reports whether a deployment whose tasks have been replaced goes on because alarms
// watch it.
func (p *servicePlan) baking() bool {
	names := p.watching()
	if len(names) == 0 {
		return false
	}
	d := p.primary()
	if d.BakeSince.IsZero() {
		d.BakeSince = p.now
	}
	end := d.BakeSince.Add(p.Pace.Of(p.bake(names)))
	if !p.now.Before(end) {
		return false
	}
	p.requeue(end)
	return true
}

// bake is how long a deployment bakes: what the user says, or the longest time in which one
// of its alarms can get into ALARM.
func (p *servicePlan) bake(names []string) (bake time.Duration) {
	if minutes := aws.Value(p.s.Service.DeploymentConfiguration.BakeTimeInMinutes); minutes > 0 {
		return time.Duration(minutes) * time.Minute
	}
	for _, name := range names {
		if a := p.alarm(name); a != nil && a.Metric != nil {
			bake = max(bake, AlarmPeriod(a.Metric)*time.Duration(aws.Value(a.Metric.EvaluationPeriods)))
		}
	}
	return min(bake, maxBake)
}

// alarmsView is how alarms watch a deployment, or watched it.
// Source: ECS API, ServiceDeploymentAlarms.
func alarmsView(d *record.Deployment, status ecs.ServiceDeploymentStatus) *ecs.ServiceDeploymentAlarms {
	c := d.Configuration
	if c == nil || c.Alarms == nil || !aws.Value(c.Alarms.Enable) {
		return &ecs.ServiceDeploymentAlarms{Status: ecs.ServiceDeploymentRollbackMonitorsStatusDisabled}
	}
	v := &ecs.ServiceDeploymentAlarms{Status: ecs.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete, AlarmNames: slices.Clone(c.Alarms.AlarmNames)}
	switch {
	case d.Alarms != nil && len(d.Alarms.Triggered) > 0:
		v.Status, v.TriggeredAlarmNames = ecs.ServiceDeploymentRollbackMonitorsStatusTriggered, d.Alarms.Triggered
	case d.Alarms != nil && d.Alarms.Ignored:
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusDisabled
	case status == ecs.ServiceDeploymentStatusInProgress:
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusMonitoring
	}
	return v
}
