"""Modules that every page uses: state, link, navigation, caches, the model picker."""
