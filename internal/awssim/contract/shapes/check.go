package shapes

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// checker collects what is wrong with one reply.
type checker struct {
	service  *service
	problems []string
}

func (c *checker) complain(path, format string, args ...any) {
	c.problems = append(c.problems, strings.TrimPrefix(path, ".")+": "+fmt.Sprintf(format, args...))
}

// check compares a decoded reply with its shape. Nodes are map[string]any, []any and scalars; a scalar that came as
// text (XML has no other) is read by the shape's type.
func (c *checker) check(name string, node any, path string) {
	s := c.service.Shapes[name]
	if s == nil {
		c.complain(path, "the API description has no shape %s", name)
		return
	}
	switch s.Type {
	case "structure":
		c.structure(name, s, node, path)
	case "list":
		items, ok := node.([]any)
		if !ok {
			c.complain(path, "is %T and should be a list", node)
			return
		}
		c.size(s, len(items), path, "entries")
		for i, item := range items {
			c.check(s.Member.Shape, item, path+"["+strconv.Itoa(i)+"]")
		}
	case "map":
		tree, ok := node.(map[string]any)
		if !ok {
			c.complain(path, "is %T and should be a map", node)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(tree)) {
			c.check(s.Key.Shape, key, path+"{key "+key+"}")
			c.check(s.Value.Shape, tree[key], path+"{"+key+"}")
		}
	default:
		c.scalar(s, node, path)
	}
}

func (c *checker) structure(of string, s *shape, node any, path string) {
	tree, ok := node.(map[string]any)
	if !ok {
		c.complain(path, "is %T and should be a structure", node)
		return
	}
	for _, name := range s.Required {
		if tree[name] == nil {
			c.complain(path, "required member %s is missing", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if known := s.Members[name]; known == nil {
			if newer[of+"."+name] {
				continue
			}
			c.complain(path, "member %s is unknown", name)
		} else if !loose[of+"."+name] {
			c.check(known.Shape, tree[name], path+"."+name)
		}
	}
}

// newer are members, under their names on the wire, that AWS added after the descriptions were archived. The SDK's
// current types have them.
var newer = map[string]bool{
	"Snapshot.completionTime": true, // EC2
	// S3
	"Object.ChecksumType": true, "Bucket.BucketRegion": true, "ListBucketsOutput.ContinuationToken": true,
	"ListBucketsOutput.Prefix": true, "CompleteMultipartUploadOutput.ChecksumCRC64NVME": true,
	"CompleteMultipartUploadOutput.ChecksumType": true, "CopyObjectResult.ChecksumCRC64NVME": true,
	"CopyObjectResult.ChecksumType": true, "MultipartUpload.ChecksumType": true, "ListPartsOutput.ChecksumType": true,
	"DescribeAlarmsOutput.LogAlarms":                               true,
	"RevokeSecurityGroupEgressResult.revokedSecurityGroupRuleSet":  true,
	"RevokeSecurityGroupIngressResult.revokedSecurityGroupRuleSet": true,
}

// loose are members whose real values AWS's own descriptions exclude.
var loose = map[string]bool{
	"StepExecution.Action":           true, // aws:waitForAwsResourceProperty is longer than the pattern allows
	"AutomationExecution.Parameters": true, // parameters whose default is empty are told too (unverified)
	// SSM says Installed and Missing, as its command line's reference shows; the list has capitals
	"PatchComplianceData.State": true,
	// a load balancer's untagged resource has an empty list; the description, made for requests, wants one
	"TagDescription.Tags": true,
	// S3 makes a CRC64NVME where no checksum came, an algorithm that the archived list lacks
	"Object.ChecksumAlgorithm": true,
}

func (c *checker) scalar(s *shape, node any, path string) {
	text, isText := node.(string)
	if number, ok := node.(json.Number); ok && s.Type != "string" {
		text, isText = number.String(), true
	}
	ok := false
	switch s.Type {
	case "string", "character":
		if ok = isText; ok {
			c.text(s, text, path)
		}
	case "boolean":
		_, ok = node.(bool)
		ok = ok || text == "true" || text == "false"
	case "integer", "long":
		number, err := strconv.ParseInt(text, 10, 64)
		if whole, is := node.(int64); is {
			number, err = whole, nil
		}
		if ok = err == nil; ok {
			c.size(s, int(number), path, "")
		}
	case "float", "double":
		_, whole := node.(int64)
		_, real := node.(float64)
		_, err := strconv.ParseFloat(text, 64)
		ok = whole || real || isText && err == nil
	case "timestamp":
		_, ok = node.(time.Time)
		if number, is := node.(json.Number); is {
			_, err := number.Float64()
			ok = err == nil
		} else if isText {
			_, err := time.Parse(time.RFC3339Nano, text)
			ok = err == nil
		}
	case "blob":
		_, ok = node.([]byte)
		if isText {
			_, err := base64.StdEncoding.DecodeString(text)
			ok = err == nil
		}
	}
	if !ok {
		c.complain(path, "is %T %.60v and should be a %s", node, node, s.Type)
	}
}

func (c *checker) text(s *shape, text, path string) {
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		c.complain(path, "%q is none of %s", text, strings.Join(s.Enum, ", "))
	}
	c.size(s, utf8.RuneCountInString(text), path, "characters")
	if pattern := compile(s.Pattern); pattern != nil && !pattern.MatchString(text) {
		c.complain(path, "%q does not match %s", text, s.Pattern)
	}
}

func (c *checker) size(s *shape, n int, path, unit string) {
	if s.Min != nil && float64(n) < *s.Min || s.Max != nil && float64(n) > *s.Max {
		low, high := "any", "any"
		if s.Min != nil {
			low = strconv.FormatFloat(*s.Min, 'f', -1, 64)
		}
		if s.Max != nil {
			high = strconv.FormatFloat(*s.Max, 'f', -1, 64)
		}
		c.complain(path, "has %d %s and should have %s to %s", n, unit, low, high)
	}
}

var (
	unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)
	patterns      sync.Map // pattern to *regexp.Regexp
)

// compile returns nil for no pattern, and for the few whose syntax Go's engine does not have (they look ahead).
func compile(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	if known, ok := patterns.Load(pattern); ok {
		return known.(*regexp.Regexp)
	}
	compiled, err := regexp.Compile(unicodeEscape.ReplaceAllString(pattern, `\x{$1}`))
	if err != nil {
		compiled = nil
	}
	patterns.Store(pattern, compiled)
	return compiled
}
