"""What every page stands on: the state, the link, the navigation, caches, the model picker."""
