using Krate.Web.Hosting;

return await KrateHost.RunAsync(args);
