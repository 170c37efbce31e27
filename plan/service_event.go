package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/record"
)

// repeatAfter is how long an event that says what another has said is left out.
const repeatAfter = 6 * time.Hour

// event adds to the service's events, newest first. An empty message is none;
// one that says again what the newest says can wait.
// Source: ECS developer guide, "Amazon ECS service event messages".
func (p *servicePlan) event(message string) {
	if message != "" {
		p.say(eventText(p.s, message))
	}
}

// say is event with the whole text.
func (p *servicePlan) say(text string) {
	if len(p.s.Events) > 0 && p.said(p.s.Events[0], text) {
		return
	}
	p.tell(text)
}

// tell adds an event that says what was done, though another has said the same:
// it was done again.
func (p *servicePlan) tell(text string) {
	addEvent(p.s, p.UUID(), text, p.now)
	p.changed = true
}

// complain says what keeps the service from what it should become: once, while
// the same deployment is the newest.
func (p *servicePlan) complain(message string) {
	since, text := p.primary().PrimaryAt, eventText(p.s, message)
	if !slices.ContainsFunc(p.s.Events, func(e ecs.ServiceEvent) bool { return p.said(e, text) && !e.CreatedAt.Before(since) }) {
		p.say(text)
	}
}

// said reports whether an event has said a text not long ago.
func (p *servicePlan) said(e ecs.ServiceEvent, text string) bool {
	return *e.Message == text && p.now.Before(e.CreatedAt.Add(repeatAfter))
}

func eventText(s *record.Service, message string) string {
	return "(service " + s.Name() + ") " + message
}

func addEvent(s *record.Service, id, text string, now time.Time) {
	e := ecs.ServiceEvent{Id: &id, CreatedAt: &now, Message: &text}
	s.Events = append([]ecs.ServiceEvent{e}, s.Events...)
	s.Events = s.Events[:min(len(s.Events), record.ServiceEvents)]
}

func startedEvent(tasks []*record.Task) string {
	if len(tasks) == 0 {
		return ""
	}
	return fmt.Sprintf("has started %d tasks: %s.", len(tasks), taskList(idsOf(tasks)))
}

// sayStopped tells tasks that ran from those that were only on their way to.
func (p *servicePlan) sayStopped(tasks []*member) {
	var ran []string
	pending := 0
	for _, m := range tasks {
		if m.task.LastStatus().Before(fargo.TaskRunning) {
			pending++
		} else {
			ran = append(ran, m.task.ID)
		}
	}
	if pending > 0 {
		p.event(fmt.Sprintf("stopped %d pending tasks.", pending))
	}
	if len(ran) > 0 {
		p.event(fmt.Sprintf("has stopped %d running tasks: %s.", len(ran), taskList(ran)))
	}
}

func idsOf(tasks []*record.Task) []string {
	ids := make([]string, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	return ids
}

func taskList(ids []string) string {
	return "(task " + strings.Join(ids, ") (task ") + ")"
}

// sayWaiting says of the first task that waits for what only others can do what that
// is.
func (p *servicePlan) sayWaiting() {
	for _, m := range p.of(nil, func(m *member) bool { return m.Health == HealthPending && m.Event != "" }) {
		p.complain(m.Event)
		return
	}
}

// drainingText is the text of an event, which names the task set of the tasks
// beside their service.
func drainingText(s *record.Service, deployment string, n int) string {
	return fmt.Sprintf("(service %s, taskSet %s) has begun draining connections on %d tasks.", s.Name(), deployment, n)
}

func targetsEvent(verb, group string, n int) string {
	return fmt.Sprintf("%s %d targets in (target-group %s)", verb, n, group)
}

// protectedEvent says that tasks that should go are protected; ok is false when
// none of them is.
func protectedEvent(tasks []*member) (text string, ok bool) {
	n, deployment := 0, ""
	for _, m := range tasks {
		if m.Protected {
			n, deployment = n+1, m.deployment()
		}
	}
	return fmt.Sprintf("(taskSet %s) was unable to scale in due to (reason %d tasks under protection)", deployment, n), n > 0
}
