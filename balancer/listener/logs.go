package listener

import (
	"errors"

	"fargo/balancer/objectlog"
	"fargo/balancer/settings"
	"fargo/desired"
)

// SetLogs makes the logs that a balancer's attributes ask for the only ones.
func (b *LoadBalancer) SetLogs(root string, d *desired.Balancer) error {
	node, a := objectlog.NodeSuffix(d), settings.Attributes(d.Attributes)
	return errors.Join(
		objectlog.Replace(&b.log, objectlog.New(root, b.ARN, objectlog.Access, node, a, "access_logs")),
		objectlog.Replace(&b.connections, objectlog.New(root, b.ARN, objectlog.Connections, node, a, "connection_logs")))
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
