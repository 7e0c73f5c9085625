using Krate.Web.Git;
using Krate.Web.Hosting;

// git waits for the hook: it runs before anything of the application is loaded.
return args is [PreReceiveHook.Name] ? await PreReceiveHook.RunAsync() : await KrateHost.RunAsync(args);
