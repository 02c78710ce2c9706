// Package shapes checks replies against AWS's own descriptions of its APIs: required members, types, enumerations,
// patterns, lengths, and members or error codes that the API does not have. The descriptions come from the archived
// first version of the AWS SDK for Go, which is test data here and never linked; tools/go.mod pins it.
package shapes

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Models are the descriptions of the services that the simulator speaks, each read when it is first asked for.
type Models struct {
	dir    string
	mu     sync.Mutex
	loaded map[string]*service
}

// files are the descriptions under models/apis, by the SDK's service id.
var files = map[string]string{
	"Auto Scaling":              "autoscaling/2011-01-01",
	"CloudFormation":            "cloudformation/2010-05-15",
	"CloudTrail":                "cloudtrail/2013-11-01",
	"CloudWatch":                "monitoring/2010-08-01",
	"CodeDeploy":                "codedeploy/2014-10-06",
	"EC2":                       "ec2/2016-11-15",
	"Elastic Load Balancing v2": "elasticloadbalancingv2/2015-12-01",
	"IAM":                       "iam/2010-05-08",
	"KMS":                       "kms/2014-11-01",
	"Lambda":                    "lambda/2015-03-31",
	"S3":                        "s3/2006-03-01",
	"SNS":                       "sns/2010-03-31",
	"SQS":                       "sqs/2012-11-05",
	"SSM":                       "ssm/2014-11-06",
	"STS":                       "sts/2011-06-15",
}

// ServiceIDs are the SDK's service ids by the name that signatures carry.
var ServiceIDs = map[string]string{
	"autoscaling": "Auto Scaling", "cloudformation": "CloudFormation", "codedeploy": "CodeDeploy", "iam": "IAM",
	"kms": "KMS", "monitoring": "CloudWatch", "ec2": "EC2", "elasticloadbalancing": "Elastic Load Balancing v2",
	"lambda": "Lambda", "s3": "S3", "sns": "SNS", "sqs": "SQS", "ssm": "SSM", "sts": "STS",
	"cloudtrail": "CloudTrail",
}

// service is one api-2.json.
type service struct {
	Metadata struct {
		Protocol string `json:"protocol"`
	} `json:"metadata"`
	Operations map[string]operation `json:"operations"`
	Shapes     map[string]*shape    `json:"shapes"`
}

type operation struct {
	Output struct {
		Shape         string `json:"shape"`
		ResultWrapper string `json:"resultWrapper"`
	} `json:"output"`
	Errors []struct {
		Shape string `json:"shape"`
	} `json:"errors"`
}

type shape struct {
	Type         string             `json:"type"`
	Members      map[string]*member `json:"members"`
	Required     []string           `json:"required"`
	Member       *member            `json:"member"` // of a list
	Key          *member            `json:"key"`    // of a map
	Value        *member            `json:"value"`
	Enum         []string           `json:"enum"`
	Pattern      string             `json:"pattern"`
	Min          *float64           `json:"min"`
	Max          *float64           `json:"max"`
	Flattened    bool               `json:"flattened"`
	LocationName string             `json:"locationName"`
	Payload      string             `json:"payload"`
	Error        struct {
		Code string `json:"code"`
	} `json:"error"`
}

type member struct {
	Shape        string `json:"shape"`
	LocationName string `json:"locationName"`
	Location     string `json:"location"` // header, headers, statusCode; empty: the body
	Flattened    bool   `json:"flattened"`
	XMLAttribute bool   `json:"xmlAttribute"`
}

// Open prepares the descriptions under dir, which is the root of the module.
func Open(dir string) (*Models, error) {
	root := filepath.Join(dir, "models", "apis")
	if _, err := os.Stat(root); err != nil {
		return nil, fmt.Errorf("AWS's API descriptions: %w", err)
	}
	return &Models{dir: root, loaded: map[string]*service{}}, nil
}

func (m *Models) service(id string) (*service, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found := m.loaded[id]; found != nil {
		return found, nil
	}
	text, err := m.Description(id)
	if err != nil {
		return nil, err
	}
	found := &service{}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, fmt.Errorf("API description of %s: %w", id, err)
	}
	m.loaded[id] = found
	return found, nil
}

// Description is the text of a service's description.
func (m *Models) Description(id string) ([]byte, error) {
	folder, ok := files[id]
	if !ok {
		return nil, fmt.Errorf("no API description is known for service %q; name its folder in shapes.go", id)
	}
	return os.ReadFile(filepath.Join(m.dir, filepath.FromSlash(folder), "api-2.json"))
}
