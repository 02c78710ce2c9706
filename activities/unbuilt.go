package activities

import "errors"

var errUnbuilt = errors.New("unbuilt")

type (
	AutoScalingAPI   interface{}
	EC2API           interface{}
	LoadBalancingAPI interface{}
	SSMAPI           interface{}
	CloudWatchAPI    interface{}
	STSAPI           interface{}
)
