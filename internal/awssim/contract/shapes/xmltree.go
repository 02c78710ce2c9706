package shapes

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// element is one XML element: what it holds is text or other elements.
type element struct {
	name     string
	text     string
	children []*element
}

func (e *element) child(name string) *element {
	for _, child := range e.children {
		if child.name == name {
			return child
		}
	}
	return nil
}

// parseXML returns the root element.
func parseXML(body []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	top := &element{}
	stack := []*element{top}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the body is not XML: %w", err)
		}
		last := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			next := &element{name: token.Name.Local}
			last.children = append(last.children, next)
			stack = append(stack, next)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			last.text += string(token)
		}
	}
	if len(top.children) != 1 {
		return nil, fmt.Errorf("the body has %d root elements and should have one", len(top.children))
	}
	return top.children[0], nil
}

// tree turns an element into what check takes, by the names of the shape's members. What the shape does not have keeps
// the element's name, so that check finds it unknown.
func (s *service) tree(name string, e *element) any {
	shape := s.Shapes[name]
	if shape == nil {
		return e.text
	}
	switch shape.Type {
	case "structure":
		return s.structureTree(shape, e)
	case "list":
		items := []any{}
		for _, child := range e.children {
			if child.name != itemName(shape) {
				return "element <" + child.name + "> in a list of <" + itemName(shape) + ">"
			}
			items = append(items, s.tree(shape.Member.Shape, child))
		}
		return items
	case "map":
		return s.mapTree(shape, e.children)
	}
	return e.text
}

func itemName(list *shape) string {
	if list.Member.LocationName != "" {
		return list.Member.LocationName
	}
	return "member"
}

func (s *service) structureTree(shape *shape, e *element) any {
	wire := map[string]string{} // element to member
	for name, member := range shape.Members {
		element := name
		if member.LocationName != "" {
			element = member.LocationName
		} else if inner := s.Shapes[member.Shape]; inner != nil && s.flat(member) && inner.Type == "list" &&
			inner.Member.LocationName != "" {
			element = inner.Member.LocationName
		}
		wire[element] = name
	}
	tree := map[string]any{}
	for _, child := range e.children {
		name, ok := wire[child.name]
		if !ok {
			tree[child.name] = child.text
			continue
		}
		member := shape.Members[name]
		switch inner := s.Shapes[member.Shape]; {
		case s.flat(member) && inner.Type == "list":
			items, _ := tree[name].([]any)
			tree[name] = append(items, s.tree(inner.Member.Shape, child))
		case s.flat(member) && inner.Type == "map":
			tree[name] = s.mapTree(inner, append(entriesSoFar(e, child), child))
		default:
			tree[name] = s.tree(member.Shape, child)
		}
	}
	return tree
}

// entriesSoFar are the elements of a flattened map that stand before last.
func entriesSoFar(parent, last *element) []*element {
	var entries []*element
	for _, child := range parent.children {
		if child == last {
			break
		}
		if child.name == last.name {
			entries = append(entries, child)
		}
	}
	return entries
}

func (s *service) flat(m *member) bool {
	return m.Flattened || s.Shapes[m.Shape] != nil && s.Shapes[m.Shape].Flattened
}

func (s *service) mapTree(shape *shape, entries []*element) any {
	key, value := "key", "value"
	if shape.Key.LocationName != "" {
		key = shape.Key.LocationName
	}
	if shape.Value.LocationName != "" {
		value = shape.Value.LocationName
	}
	tree := map[string]any{}
	for _, entry := range entries {
		if entry.child(key) == nil || entry.child(value) == nil {
			return "an entry of a map without <" + key + "> or <" + value + ">"
		}
		tree[entry.child(key).text] = s.tree(shape.Value.Shape, entry.child(value))
	}
	return tree
}
