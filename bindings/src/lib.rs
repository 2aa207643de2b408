//! The Node-API face of sagetrain: conversion only.

mod runtime;
