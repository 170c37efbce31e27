package listener

import (
	"errors"

	"fargo/balancer/objectlog"
	"fargo/desired"
)

// SetLogs makes the logs that a balancer's attributes ask for the only ones.
func (b *LoadBalancer) SetLogs(dir objectlog.Dir, d *desired.Balancer) error {
	return errors.Join(
		objectlog.Replace(&b.log, dir.Log(d, objectlog.Access, "access_logs")),
		objectlog.Replace(&b.connections, dir.Log(d, objectlog.Connections, "connection_logs")))
}

// FlushLogs brings a balancer's logs to their files, and with end closes them.
func (b *LoadBalancer) FlushLogs(end bool) (err error) {
	for _, log := range []*objectlog.Log{b.log, b.connections} {
		if end {
			err = errors.Join(err, log.Close())
		} else {
			err = errors.Join(err, log.Flush())
		}
	}
	return err
}
